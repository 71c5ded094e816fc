package conformance

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Errors of calls are not looked at: the recorder has the responses, and most steps
// are meant to fail.

// scenarios are the suite. Those that only read come first.
var scenarios = []scenario{
	{name: "tokens", run: tokens},
	{name: "connectors", run: connectors},
	{name: "events", run: events},
	{name: "reports", run: reports},
	{name: "unknown IDs", run: unknownIDs},
	{name: "webhooks, read", run: readWebhooks},
	{name: "user", user: true, run: readUser},
	{name: "connections", user: true, run: connections},
	{name: "accounts", user: true, run: accounts},
	{name: "transactions", user: true, run: transactions},
	{name: "transaction filters", user: true, run: transactionFilters},
	{name: "jobs", user: true, run: jobs},
	{name: "identities", user: true, run: identities},
	{name: "users", write: true, run: users},
	{name: "user errors", write: true, run: userErrors},
	{name: "auth links", write: true, run: authLinks},
	{name: "webhooks", write: true, run: manageWebhooks},
	{name: "refresh", user: true, write: true, run: refresh},
}

const (
	// absentID has the form of an ID, and is none.
	absentID = "00000000-0000-4000-8000-000000000000"
	// badID does not have the form of an ID.
	badID = "not!an!id"
	// bank is the sandbox's test bank.
	bank = "AU00000"
)

func tokens(r *run) {
	_, _ = r.client.Core.Auth.CreateToken(r.step("server scope"), core.CreateTokenParams{Scope: core.ScopeServer})
	wrongKey := r.other(basiq.WithAPIKey("not-a-key"))
	_, _ = wrongKey.Core.Auth.CreateToken(r.step("unknown key"), core.CreateTokenParams{Scope: core.ScopeServer})
	_ = wrongKey.Close()
	wrongToken := r.other(basiq.WithTokenSource(transport.StaticToken("not-a-token")))
	_, _ = wrongToken.Core.Events.ListTypes(r.step("unknown token"))
	_ = wrongToken.Close()
}

func connectors(r *run) {
	list := func(name string, f data.ConnectorFilter) {
		_, _ = r.client.Data.Connectors.List(r.step(name), data.ListConnectorsParams{Filter: f})
	}
	none := data.ConnectorFilter{}
	list("list", none)
	list("filter by ID", none.ID(bank))
	list("filter by method", none.Method(data.MethodWeb))
	list("filter by status", none.Status(data.ConnectorStatusOperational))
	list("filter by several statuses", none.StatusIn(data.ConnectorStatusOperational, data.ConnectorStatusMajorOutage))
	list("filter by stage", none.Stage(data.ConnectorStageLive))
	list("filter by country", none.Country("Australia"))
	list("filter by tier", none.Tier("1"))
	list("filter by kind of institution", none.InstitutionKind(data.InstitutionKindTestBank))
	list("filter by authorization", none.AuthorizationKind(data.AuthorizationKindUser))
	list("filter by scopes", none.ScopesIn("accounts", "transactions"))
	list("filter by engine", none.Engine("node"))
	list("filter that excludes", none.StageNot(data.ConnectorStageAlpha))
	list("unknown filter", none.Raw("connector.colour.eq('red')"))
	_, _ = r.client.Data.Connectors.Get(r.step("get"), bank, data.MethodWeb)
	_, _ = r.client.Data.Connectors.Get(r.step("unknown ID"), "AU99999", data.MethodWeb)
	_, _ = r.client.Data.Connectors.Get(r.step("unknown method"), bank, "telepathy")
}

func events(r *run) {
	types, err := r.client.Core.Events.ListTypes(r.step("types"))
	if err == nil && len(types.Data) > 0 {
		_, _ = r.client.Core.Events.GetType(r.step("type"), types.Data[0].ID)
	}
	_, _ = r.client.Core.Events.GetType(r.step("unknown type"), "colour.changed")
	list, err := r.client.Core.Events.List(r.step("list"), core.ListEventsParams{})
	if err == nil && len(list.Data) > 0 {
		_, _ = r.client.Core.Events.Get(r.step("get"), list.Data[0].ID)
	}
	filter := func(name string, f core.EventFilter) {
		_, _ = r.client.Core.Events.List(r.step(name), core.ListEventsParams{Filter: f})
	}
	filter("filter by user", core.EventFilter{}.UserID(absentID))
	filter("filter by entity", core.EventFilter{}.Entity(core.EventEntityConnection))
	filter("filter by verb", core.EventFilter{}.Verb(core.EventVerbCreated))
	filter("unknown filter", core.EventFilter{}.Raw("event.colour.eq('red')"))
}

func reports(r *run) {
	types, err := r.client.Reporting.Reports.ListTypes(r.step("types"))
	if err == nil && len(types.Data) > 0 {
		_, _ = r.client.Reporting.Reports.GetType(r.step("type"), types.Data[0].ID)
	}
	_, _ = r.client.Reporting.Reports.List(r.step("list"))
}

// unknownIDs has the errors for IDs that do not exist, and that are not IDs.
func unknownIDs(r *run) {
	for _, kind := range [][2]string{{"absent", absentID}, {"malformed", badID}} {
		name, id := kind[0], kind[1]
		_, _ = r.client.Core.Users.Get(r.step(name+" user"), id)
		_, _ = r.client.Core.Jobs.Get(r.step(name+" job"), id)
		_, _ = r.client.Core.Events.Get(r.step(name+" event"), id)
		_, _ = r.client.Core.AuthLinks.Get(r.step(name+" user"), id)
		_, _ = r.client.Core.Consents.List(r.step(name+" user"), id)
		_, _ = r.client.Data.Accounts.List(r.step(name+" user"), id, data.ListAccountsParams{})
		_, _ = r.client.Data.Transactions.List(r.step(name+" user"), id, data.ListTransactionsParams{})
		_, _ = r.client.Data.Connections.List(r.step(name+" user"), id, data.ListConnectionsParams{})
		_, _ = r.client.Reporting.Reports.Get(r.step(name+" report"), id)
		_, _ = r.client.Webhooks.Webhooks.Get(r.step(name+" webhook"), id)
	}
}

func readWebhooks(r *run) {
	list, err := r.client.Webhooks.Webhooks.List(r.step("list"))
	if err == nil && len(list.Data) > 0 {
		_, _ = r.client.Webhooks.Webhooks.Get(r.step("get"), list.Data[0].ID)
		_, _ = r.client.Webhooks.Webhooks.ListMessages(r.step("messages"), list.Data[0].ID, webhooks.ListMessagesParams{})
	}
	_, _ = r.client.Webhooks.Webhooks.ListMessages(r.step("messages of an absent webhook"), absentID, webhooks.ListMessagesParams{})
}

func readUser(r *run) {
	_, _ = r.client.Core.Users.Get(r.step("get"), r.target.UserID)
	_, _ = r.client.Core.Consents.List(r.step("consents"), r.target.UserID)
	_, _ = r.client.Core.Auth.CreateToken(r.step("client token"), core.CreateTokenParams{Scope: core.ScopeClient, UserID: r.target.UserID})
}

func connections(r *run) {
	user := r.target.UserID
	list := func(name string, f data.ConnectionFilter) *data.ConnectionList {
		out, _ := r.client.Data.Connections.List(r.step(name), user, data.ListConnectionsParams{Filter: f})
		return out
	}
	none := data.ConnectionFilter{}
	all := list("list", none)
	list("filter by status", none.Status(data.ConnectionStatusActive))
	list("filter by institution", none.InstitutionID(bank))
	list("unknown filter", none.Raw("connection.colour.eq('red')"))
	_, _ = r.client.Data.Connections.Get(r.step("absent"), user, absentID)
	if all != nil && len(all.Data) > 0 {
		_, _ = r.client.Data.Connections.Get(r.step("get"), user, all.Data[0].ID)
		list("filter by ID", none.ID(all.Data[0].ID))
	}
}

func accounts(r *run) {
	user := r.target.UserID
	list := func(name string, f data.AccountFilter) *data.AccountList {
		out, _ := r.client.Data.Accounts.List(r.step(name), user, data.ListAccountsParams{Filter: f})
		return out
	}
	none := data.AccountFilter{}
	all := list("list", none)
	list("filter by institution", none.InstitutionID(bank))
	list("filter that excludes", none.InstitutionIDNot(bank))
	list("filter by absent connection", none.ConnectionID(absentID))
	list("unknown filter", none.Raw("account.colour.eq('red')"))
	_, _ = r.client.Data.Accounts.Get(r.step("absent"), user, absentID, data.GetAccountsParams{})
	_, _ = r.client.Data.Accounts.Get(r.step("malformed"), user, badID, data.GetAccountsParams{})
	if all != nil && len(all.Data) > 0 {
		_, _ = r.client.Data.Accounts.Get(r.step("get"), user, all.Data[0].ID, data.GetAccountsParams{})
		list("filter by ID", none.ID(all.Data[0].ID))
	}
}

// transactions reads pages of every kind, and asks for pages that do not exist.
func transactions(r *run) {
	user := r.target.UserID
	list := func(name string, limit int) *data.TransactionPage {
		out, _ := r.client.Data.Transactions.List(r.step(name), user, data.ListTransactionsParams{Limit: limit})
		return out
	}
	list("default limit", 0)
	list("largest limit", 500)
	list("limit of one", 1)
	first := list("limit of three", 3)
	items := 0
	for range r.client.Data.Transactions.All(r.step("three pages"), user, data.ListTransactionsParams{Limit: 3}) {
		if items++; items == 9 {
			break
		}
	}
	raw := func(name, query string) {
		r.raw(name, "data.Transactions.List", http.MethodGet, "/users/"+url.PathEscape(user)+"/transactions?"+query, "")
	}
	raw("limit above the maximum", "limit=501")
	raw("limit of zero", "limit=0")
	raw("limit that is not a number", "limit=many")
	raw("unknown cursor", "next="+absentID)
	_, _ = r.client.Data.Transactions.Get(r.step("absent"), user, absentID)
	_, _ = r.client.Data.Transactions.Get(r.step("malformed"), user, badID)
	if first != nil && len(first.Data) > 0 {
		_, _ = r.client.Data.Transactions.Get(r.step("get"), user, first.Data[0].ID)
	}
}

func transactionFilters(r *run) {
	list := func(name string, f data.TransactionFilter) {
		_, _ = r.client.Data.Transactions.List(r.step(name), r.target.UserID, data.ListTransactionsParams{Filter: f, Limit: 3})
	}
	none := data.TransactionFilter{}
	until := value.DateOf(r.target.Now.UTC())
	from := value.DateOf(r.target.Now.UTC().AddDate(0, -3, 0))
	list("by day", none.PostDate(from))
	list("between days", none.PostDateBetween(from, until))
	list("after a day", none.PostDateAfter(from))
	list("from a day", none.PostDateFrom(from))
	list("before a day", none.PostDateBefore(until))
	list("until a day", none.PostDateUntil(until))
	list("by direction", none.Direction(data.DirectionDebit))
	list("by status", none.Status(data.TransactionStatusPosted))
	list("by pending status", none.Status(data.TransactionStatusPending))
	list("by class", none.Class(data.TransactionClassPayment))
	list("by institution", none.InstitutionID(bank))
	list("by absent account", none.AccountID(absentID))
	list("by absent connection", none.ConnectionID(absentID))
	list("several conditions", none.PostDateFrom(from).Direction(data.DirectionDebit).Status(data.TransactionStatusPosted))
	list("date that is not one", none.Raw("transaction.postDate.gt('yesterday')"))
	list("unknown field", none.Raw("transaction.colour.eq('red')"))
	list("unknown operator", none.Raw("transaction.status.like('posted')"))
	list("not a condition", none.Raw("posted"))
}

func jobs(r *run) {
	user := r.target.UserID
	list, err := r.client.Core.Jobs.List(r.step("list"), user, core.ListJobsParams{})
	if err == nil && len(list.Data) > 0 {
		_, _ = r.client.Core.Jobs.Get(r.step("get"), list.Data[0].ID)
	}
	_, _ = r.client.Core.Jobs.List(r.step("filter by connection"), user, core.ListJobsParams{Filter: core.JobFilter{}.ConnectionID(absentID)})
	_, _ = r.client.Core.Jobs.List(r.step("unknown filter"), user, core.ListJobsParams{Filter: core.JobFilter{}.Raw("job.colour.eq('red')")})
}

func identities(r *run) {
	list, err := r.client.Identity.Identities.List(r.step("list"), r.target.UserID)
	if err == nil && len(list.Data) > 0 {
		_, _ = r.client.Identity.Identities.Get(r.step("get"), r.target.UserID, list.Data[0].ID)
	}
	_, _ = r.client.Identity.Identities.Get(r.step("absent"), r.target.UserID, absentID)
}

// address is the email address of the users that the suite creates. Nobody has it.
const address = "basiq-go-conformance@example.com"

// newUser creates a user, who is deleted at the latest when the suite ends. It returns
// "" if there is none.
func newUser(r *run) string {
	user, err := r.client.Core.Users.Create(r.step("create"), core.CreateUserParams{
		Email: address, Mobile: "+61491570156", FirstName: "Conformance", LastName: "Test",
	})
	if err != nil {
		return ""
	}
	return user.ID
}

func users(r *run) {
	id := newUser(r)
	if id == "" {
		return
	}
	_, _ = r.client.Core.Users.Get(r.step("get"), id)
	changed := "Changed"
	_, _ = r.client.Core.Users.Update(r.step("update"), id, core.UpdateUserParams{FirstName: &changed})
	email := "not an address"
	_, _ = r.client.Core.Users.Update(r.step("update with a bad email address"), id, core.UpdateUserParams{Email: &email})
	_, _ = r.client.Core.Consents.List(r.step("consents of a new user"), id)
	_, _ = r.client.Core.Jobs.List(r.step("jobs of a new user"), id, core.ListJobsParams{})
	_, _ = r.client.Data.Connections.List(r.step("connections of a new user"), id, data.ListConnectionsParams{})
	_, _ = r.client.Data.Accounts.List(r.step("accounts of a new user"), id, data.ListAccountsParams{})
	_, _ = r.client.Data.Transactions.List(r.step("transactions of a new user"), id, data.ListTransactionsParams{})
	_ = r.client.Core.Consents.Delete(r.step("absent consent"), id, absentID)
	_ = r.client.Data.Connections.Delete(r.step("absent connection"), id, absentID)
	_ = r.client.Core.Users.Delete(r.step("delete"), id)
	_, _ = r.client.Core.Users.Get(r.step("get after the deletion"), id)
	_ = r.client.Core.Users.Delete(r.step("delete again"), id)
}

// userErrors creates users that the API must refuse. One that it does not refuse is
// deleted like any other.
func userErrors(r *run) {
	create := func(name, body string) {
		r.raw(name, "core.Users.Create", http.MethodPost, "/users", body)
	}
	create("neither email nor mobile", `{"firstName":"Conformance"}`)
	create("bad email address", `{"email":"not an address"}`)
	create("bad mobile number", `{"mobile":"not a number"}`)
	create("not JSON", `{"email":`)
	create("business number without name", `{"email":"`+address+`","businessIdNo":"53004085616","businessIdNoType":"ABN"}`)
}

func authLinks(r *run) {
	id := newUser(r)
	if id == "" {
		return
	}
	_, _ = r.client.Core.AuthLinks.Get(r.step("get before the first"), id)
	_, _ = r.client.Core.AuthLinks.Create(r.step("create"), id, core.CreateAuthLinkParams{})
	_, _ = r.client.Core.AuthLinks.Get(r.step("get"), id)
	_ = r.client.Core.AuthLinks.Delete(r.step("delete"), id)
	_, _ = r.client.Core.AuthLinks.Get(r.step("get after the deletion"), id)
	_, _ = r.client.Core.AuthLinks.Create(r.step("bad mobile number"), id, core.CreateAuthLinkParams{Mobile: "not a number"})
}

func manageWebhooks(r *run) {
	service := r.client.Webhooks.Webhooks
	// A unique name under a domain that is reserved for examples, and no events: nothing
	// is ever delivered.
	params := webhooks.WebhookParams{URL: "https://conformance.example.com/" + time.Now().UTC().Format("20060102150405.000000000"), Name: "conformance"}
	raw := func(name, body string) {
		r.raw(name, "webhooks.Webhooks.Create", http.MethodPost, "/notifications/webhooks", body)
	}
	raw("without URL", `{"name":"conformance"}`)
	raw("bad URL", `{"url":"not a URL"}`)
	raw("not JSON", `{"url":`)
	raw("unknown event type", `{"url":"`+params.URL+`","subscribedEvents":["colour.changed"]}`)
	hook, err := service.Create(r.step("create"), params)
	if err != nil {
		return
	}
	_, _ = service.Create(r.step("create again"), params)
	_, _ = service.Get(r.step("get"), hook.ID)
	_, _ = service.List(r.step("list"))
	_, _ = service.ListMessages(r.step("messages"), hook.ID, webhooks.ListMessagesParams{})
	_, _ = service.GetMessage(r.step("absent message"), hook.ID, absentID)
	params.Description = "changed"
	_, _ = service.Update(r.step("update"), hook.ID, params)
	_ = service.Delete(r.step("delete"), hook.ID)
	_, _ = service.Get(r.step("get after the deletion"), hook.ID)
	_ = service.Delete(r.step("delete again"), hook.ID)
}

// refreshTime limits the wait for the job of a refresh.
const refreshTime = 5 * time.Minute

// refresh refreshes the first active connection, and follows the job to its end.
func refresh(r *run) {
	user := r.target.UserID
	_, _ = r.client.Data.Connections.Refresh(r.step("absent connection"), user, absentID)
	list, err := r.client.Data.Connections.List(r.ctx, user, data.ListConnectionsParams{Filter: data.ConnectionFilter{}.Status(data.ConnectionStatusActive)})
	if err != nil || len(list.Data) == 0 {
		return
	}
	job, err := r.client.Data.Connections.Refresh(r.step("refresh"), user, list.Data[0].ID)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.step("poll"), refreshTime)
	defer cancel()
	_, _ = r.client.WaitForJob(ctx, job.ID, basiq.WaitOptions{UserID: user})
	_, _ = r.client.Core.Jobs.Get(r.step("job after its end"), job.ID)
}
