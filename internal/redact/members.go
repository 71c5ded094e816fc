package redact

import (
	"slices"
	"strings"
)

// set returns the set of the words in a text.
func set(text string) map[string]bool {
	out := map[string]bool{}
	for _, word := range strings.Fields(text) {
		out[word] = true
	}
	return out
}

var (
	// words are the members whose values are the words of enumerations.
	words = set(`type status code direction class method stage jobType reportType insightType eventType eventTypeId entity
		accountOwnership origin scope scopes token_type matchType tier provider businessIdNoType organisationType currency
		originalLoanCurrency paymentCurrency country countryCode registeredCountry parameter pointer format interval frequency
		repaymentFrequency repaymentType subscribedEvents feeType depositRateType lendingRateType featureType loanPurpose
		addressType payeeType payeeAccountUType accountType connectionType customerType cdrAccessModel source unitOfMeasure
		rateApplicationMethod interestPaymentDue discountEligibilityType maturityInstructions`)
	// phrases are the words of enumerations that contain spaces, or begin with a capital.
	phrases = map[string]bool{
		"Bank": true, "Government": true, "Superannuation": true, "Australia": true, "Webhook": true, "Bearer": true, "Accept": true,
		"Test Bank": true, "Bank (Foreign)": true, "Building Society": true, "Credit Union": true, "Financial Services": true,
		"New Zealand": true, "header/basiq-version": true,
	}
	// capitals are the members whose names begin with a capital.
	capitals = set(`ABN ACN BSB CDR CSV Code DOB PDF Text WEB`)
	// columns are the words in the names of the columns of a statement.
	columns = set(`account accounts amount available balance bank bsb category class credit currency date debit description details
		direction enriched holder id merchant name number payee post posted reference status time title to transaction type value`)
	// steps are the titles of the steps of jobs.
	steps = set(`verify-credentials mfa-challenge retrieve-accounts retrieve-transactions retrieve-statements create-report`)
	// filters are the names of the filters of reports.
	filters = set(`fromDate toDate account accounts user users includeGroups includeMetrics`)
	// amounts are the members whose values are amounts of money, or rates.
	amounts = set(`accruedRate amortisedLimit amount amountAvg amountAvgMonthly assets availableFunds avgMonthly balance balanceRate
		cashAdvances comparisonRate credit creditLimit debit depositRate expense expenses feeRate irregularIncomeAvg lendingRate
		liabilities loanRepaymentMonthly maturityAmount max maxBalance maxRedraw maximumValue medianMonth medianTransaction min
		minBalance minInstalmentAmount minPaymentAmount minRedraw minimumValue month netPosition ongoingMonth originalLoanAmount
		paymentDueAmount percentageTotal potentialLiabilitiesMonthly rate regularIncomeAvg regularIncomeYTD regularIncomeYear
		savings summary total totalCredits totalDebits totalInterestCharged totalRepayments transactionRate value variance`)
	// counters are the members whose numbers say nothing about a person.
	counters = set(`count size totalCount totalRecords page pageSize limit expires_in expiryMs responseStatusCode initialRetrievalDays
		verifyCredentials retrieveAccounts retrieveTransactions retrieveMeta version status`)
	// dates are the members whose values are dates, and whose names do not end with Date.
	dates = set(`created updated lastUsed lastUpdated from to fromMonth toMonth timestamp date month first last revoked expiresAt
		createdAt updatedAt`)
	// ids are the members whose values are IDs, and whose names do not end with Id.
	ids = set(`id ids account accounts connection connections institution institutions job jobs user users event consent webhook
		merchant report next cursor transaction`)
	// eventTypes are the IDs of event types, which are not the IDs of anything.
	eventTypes = set(`account.updated connection.activated connection.created connection.deleted connection.invalidated
		connection.updated consent.archived consent.created consent.expired consent.reminder consent.revoked consent.updated
		consent.warning transactions.updated user.created user.deleted user.updated`)
	// segments are the words in the paths of the API.
	segments = set(`token users connections refresh purge accounts transactions jobs mfa auth_link consents events types connectors
		institutions identities enrich insights account balance expense-ratio identity income expenses affordability merchants
		payees reports statements notifications webhooks messages test analytics home public web open-banking openbanking pdf csv`)
	// hosts are the hosts of links that are kept.
	hosts = set(`connect.basiq.io consent.basiq.io dashboard.basiq.io`)
)

// EventType reports whether text is the ID of an event type of the API.
func EventType(text string) bool { return eventTypes[text] }

func isID(name string) bool {
	return ids[name] || slices.ContainsFunc([]string{"Id", "ID", "Ids", "IDs"}, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// isDate reports whether the values of a member are dates, other than a date of birth.
func isDate(name string) bool {
	return (dates[name] || strings.HasSuffix(name, "Date")) && !strings.Contains(strings.ToLower(name), "birth")
}

func phones(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "phone") || strings.Contains(name, "mobile")
}

// secrets reports whether the values of a member are credentials or answers to a bank.
func secrets(name string) bool {
	if words[name] {
		return false // token_type
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"token", "secret", "passw", "apikey", "api_key", "mfa-response", "loginid", "authorization", "credential"}, func(part string) bool {
		return strings.Contains(name, part)
	})
}
