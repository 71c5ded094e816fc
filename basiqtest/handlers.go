package basiqtest

// legacyConnect names the one operation that is no longer part of the API, and
// answers to tokens of an earlier version only.
const legacyConnect = "legacy.Connections.Create"

// handlers answer the operations of the generated table.
var handlers = map[string]handler{
	"core.Auth.CreateToken": (*Server).createToken,

	"core.Users.Create": (*Server).createUser,
	"core.Users.Get":    (*Server).getUser,
	"core.Users.Update": (*Server).updateUser,
	"core.Users.Delete": (*Server).deleteUser,

	"core.Consents.List":   (*Server).listConsents,
	"core.Consents.Delete": (*Server).deleteConsent,

	"core.Jobs.Get":       (*Server).getJob,
	"core.Jobs.List":      (*Server).listJobs,
	"core.Jobs.SubmitMFA": (*Server).submitMFA,

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
}
