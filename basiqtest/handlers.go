package basiqtest

// legacyConnect is the ID of an operation that was removed from the API and requires a
// token of an earlier version.
const legacyConnect = "legacy.Connections.Create"

// consentSelf is the ID of the operation that reads a consent, which only links refer to.
const consentSelf = "core.Consents.self"

// insightType is the ID of the operation that reads one type of insight, which was
// announced without a description.
const insightType = "insights.Insights.type"

// handlers has the handler of each operation.
var handlers = map[string]handler{
	"core.Auth.CreateToken": (*Server).createToken,

	"core.Users.Create": (*Server).createUser,
	"core.Users.Get":    (*Server).getUser,
	"core.Users.Update": (*Server).updateUser,
	"core.Users.Delete": (*Server).deleteUser,

	"core.Consents.List":   (*Server).listConsents,
	"core.Consents.Delete": (*Server).deleteConsent,

	"core.Events.List":      (*Server).listEvents,
	"core.Events.Get":       (*Server).getEvent,
	"core.Events.ListTypes": (*Server).listEventTypes,
	"core.Events.GetType":   (*Server).getEventType,

	"core.Jobs.Get":       (*Server).getJob,
	"core.Jobs.List":      (*Server).listJobs,
	"core.Jobs.SubmitMFA": (*Server).submitMFA,

	"core.AuthLinks.Create": (*Server).createAuthLink,
	"core.AuthLinks.Get":    (*Server).getAuthLink,
	"core.AuthLinks.Delete": (*Server).deleteAuthLink,

	"data.Connectors.List":   (*Server).listConnectors,
	"data.Connectors.Get":    (*Server).getConnector,
	"data.Statements.Upload": (*Server).uploadStatement,

	"enrich.Enrich.Lookup":     (*Server).lookUp,
	"identity.Identities.List": (*Server).listIdentities,
	"identity.Identities.Get":  (*Server).getIdentity,

	"reporting.Reports.Create":           (*Server).createReport,
	"reporting.Reports.Get":              (*Server).getReport,
	"reporting.Reports.List":             (*Server).listReports,
	"reporting.Reports.ListTransactions": (*Server).reportTransactions,
	"reporting.Reports.ListTypes":        (*Server).listReportTypes,
	"reporting.Reports.GetType":          (*Server).getReportType,
	"reporting.Reports.Delete":           (*Server).deleteReport,

	"affordability.Affordability.Create": func(s *Server, q *request) response {
		return s.createSummary(q, "affordability", (*Server).affordabilitySummary)
	},
	"affordability.Affordability.Get":              func(s *Server, q *request) response { return s.getSnapshot(q, "affordability") },
	"affordability.Affordability.List":             (*Server).listSnapshots,
	"affordability.Affordability.ListTransactions": (*Server).snapshotTransactions,
	"affordability.Income.Create":                  func(s *Server, q *request) response { return s.createSummary(q, "income", (*Server).incomeSummary) },
	"affordability.Income.Get":                     func(s *Server, q *request) response { return s.getSnapshot(q, "income") },
	"affordability.Expenses.Create":                func(s *Server, q *request) response { return s.createSummary(q, "expenses", (*Server).expensesSummary) },
	"affordability.Expenses.Get":                   func(s *Server, q *request) response { return s.getSnapshot(q, "expenses") },

	legacyConnect: (*Server).connectLegacy,

	"data.Connections.List":       (*Server).listConnections,
	"data.Connections.Get":        (*Server).getConnection,
	"data.Connections.Delete":     (*Server).deleteConnection,
	"data.Connections.Refresh":    (*Server).refreshConnection,
	"data.Connections.RefreshAll": (*Server).refreshConnections,
	"data.Connections.Purge":      (*Server).purgeConnection,

	"data.Accounts.List":     (*Server).listAccounts,
	"data.Accounts.Get":      (*Server).getAccount,
	"data.Transactions.List": (*Server).listTransactions,
	"data.Transactions.Get":  (*Server).getTransaction,

	"insights.Insights.Create":             (*Server).createInsight,
	"insights.Insights.Get":                (*Server).getInsight,
	"insights.Insights.List":               (*Server).listInsights,
	"insights.Insights.ListTypes":          (*Server).listInsightTypes,
	"insights.Insights.VerifyAccount":      verify("account"),
	"insights.Insights.VerifyBalance":      verify("balance"),
	"insights.Insights.VerifyExpenseRatio": verify("expense-ratio"),
	"insights.Insights.VerifyIdentity":     verify("identity"),
	"insights.Insights.VerifyIncome":       verify("income"),

	"payees.Payees.Get":          (*Server).getPayee,
	"payees.Payees.List":         (*Server).listPayees,
	"analytics.Users.Get":        (*Server).userAnalytics,
	"analytics.Connections.Get":  (*Server).connectionAnalytics,
	"merchants.Merchants.Search": (*Server).searchMerchants,
	"merchants.Merchants.Get":    (*Server).getMerchant,

	"webhooks.Webhooks.Create":          (*Server).createWebhook,
	"webhooks.Webhooks.List":            (*Server).listWebhooks,
	"webhooks.Webhooks.Get":             (*Server).getWebhook,
	"webhooks.Webhooks.Update":          (*Server).updateWebhook,
	"webhooks.Webhooks.Delete":          (*Server).deleteWebhook,
	"webhooks.Webhooks.ListMessages":    (*Server).listMessages,
	"webhooks.Webhooks.GetMessage":      (*Server).getMessage,
	"webhooks.Webhooks.SendTestMessage": (*Server).sendTestMessage,
}
