package basiq

import (
	"context"
	"errors"
	"fmt"

	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/transport"
)

// VerifyOutcome is the outcome of comparing a claim with a user's data.
type VerifyOutcome uint8

// Outcomes of a verification.
const (
	CouldNotVerify VerifyOutcome = iota // there is no data to compare with, or the institution does not share it
	NoMatch
	Matched
)

// String returns "could not verify", "no match" or "matched".
func (o VerifyOutcome) String() string {
	switch o {
	case NoMatch:
		return "no match"
	case Matched:
		return "matched"
	}
	return "could not verify"
}

// Match is the result of comparing one value with a user's data.
type Match[T any] struct {
	Input      T             // the value that was compared, as the API repeats it
	Outcome    VerifyOutcome // the zero value is CouldNotVerify
	Confidence float64       // from 0 to 1; the API has also sent 0 for a match
	Reason     string        // why the value could not be verified, if the API says so
}

// VerifyOptions are the options of VerifyAccount and the other verifications.
type VerifyOptions struct {
	// JobIDs are jobs to wait for before the user's data is compared, such as
	// those of a ConsentReturn. If one of them fails, nothing is verified and
	// nothing is billed.
	JobIDs []string
	// Wait configures the wait for the jobs. Its UserID is always the verified
	// user.
	Wait WaitOptions
}

// AccountVerification is the result of [Client.VerifyAccount].
type AccountVerification struct {
	// Outcome is Matched if the number and, if one was given, the type of one
	// account match. It is CouldNotVerify if none matches, but one could not be
	// verified, or if there are no accounts.
	Outcome   VerifyOutcome
	AccountID string                   // the account that matches; "" if none does
	Accounts  []AccountMatch           // one for each account of the user
	Insight   *insights.AccountInsight // the API's response
}

// AccountMatch is the result of comparing one account.
type AccountMatch struct {
	AccountID string
	Number    Match[string]
	Type      Match[string] // zero if no type was given
}

// BalanceVerification is the result of [Client.VerifyBalance].
type BalanceVerification struct {
	// Outcome is Matched if the balance of one account is in the range. It is
	// CouldNotVerify if none is, but one could not be verified, or if there are
	// no accounts.
	Outcome   VerifyOutcome
	AccountID string                   // the first account that matches; "" if none does
	Accounts  []BalanceMatch           // one for each account of the user
	Insight   *insights.BalanceInsight // the API's response
}

// BalanceMatch is the result of comparing the balance of one account.
type BalanceMatch struct {
	AccountID string
	Balance   Match[insights.Range]
}

// IdentityVerification is the result of [Client.VerifyIdentity].
type IdentityVerification struct {
	// IdentityMatch is the result for the identity that matches best. Different
	// members never match different identities.
	IdentityMatch
	Identities []IdentityMatch           // one for each identity of the user
	Insight    *insights.IdentityInsight // the API's response
}

// IdentityMatch is the result of comparing one identity. Members that were not
// given are zero.
type IdentityMatch struct {
	// Outcome is Matched if every member that was given matches, NoMatch if one
	// does not, and otherwise CouldNotVerify. Of several email addresses, telephone
	// numbers or addresses on file, one must match. If none does, but one could not
	// be verified, the member is CouldNotVerify.
	Outcome VerifyOutcome
	Name    Match[string]
	Email   Match[string]
	Phone   Match[string]
	Address Match[string]
}

// IncomeVerification is the result of [Client.VerifyIncome].
type IncomeVerification struct {
	Match[insights.Range]
	Insight *insights.IncomeInsight // the API's response
}

// VerifyAccount waits for the jobs in the options, if there are any, and
// verifies that the user has an account with the given number and, if one is
// given, of the given type. It creates an insight, which may be billed. If the
// user's consent was revoked or has expired, the error matches
// [transport.ErrNoActiveConsent].
//
// POST /users/{userId}/insights/account: SERVER_ACCESS token, retried only if
// the request was never sent (class D).
func (c *Client) VerifyAccount(ctx context.Context, userID string, claim insights.VerifyAccountParams, o VerifyOptions, opts ...transport.Option) (*AccountVerification, error) {
	if claim.AccountNumber == "" {
		return nil, errors.New("basiq: VerifyAccount: AccountNumber is empty")
	}
	if err := c.readyToVerify(ctx, "VerifyAccount", userID, o, opts); err != nil {
		return nil, err
	}
	insight, err := c.Insights.Insights.VerifyAccount(ctx, userID, claim, opts...)
	if err != nil {
		return nil, err
	}
	v := &AccountVerification{Insight: insight}
	var all []VerifyOutcome
	for _, row := range insight.Data {
		a := AccountMatch{AccountID: row.AccountID, Number: matchOf(row.AccountNumber)}
		outcome := a.Number.Outcome
		if claim.AccountType != "" {
			a.Type = matchOf(row.AccountType)
			outcome = every(outcome, a.Type.Outcome)
		}
		if outcome == Matched && v.AccountID == "" {
			v.AccountID = row.AccountID
		}
		v.Accounts, all = append(v.Accounts, a), append(all, outcome)
	}
	v.Outcome = some(all...)
	return v, nil
}

// VerifyBalance waits for the jobs in the options, if there are any, and
// verifies that the balance of one of the user's accounts is in a range. It
// creates an insight, which may be billed.
//
// POST /users/{userId}/insights/balance: SERVER_ACCESS token, retried only if
// the request was never sent (class D).
func (c *Client) VerifyBalance(ctx context.Context, userID string, balance insights.Range, o VerifyOptions, opts ...transport.Option) (*BalanceVerification, error) {
	if err := checkRange("VerifyBalance", balance); err != nil {
		return nil, err
	}
	if err := c.readyToVerify(ctx, "VerifyBalance", userID, o, opts); err != nil {
		return nil, err
	}
	insight, err := c.Insights.Insights.VerifyBalance(ctx, userID, insights.VerifyBalanceParams{Balance: balance}, opts...)
	if err != nil {
		return nil, err
	}
	v := &BalanceVerification{Insight: insight}
	var all []VerifyOutcome
	for _, row := range insight.Data {
		b := BalanceMatch{AccountID: row.AccountID, Balance: rangeMatchOf(row.Balance)}
		if b.Balance.Outcome == Matched && v.AccountID == "" {
			v.AccountID = row.AccountID
		}
		v.Accounts, all = append(v.Accounts, b), append(all, b.Balance.Outcome)
	}
	v.Outcome = some(all...)
	return v, nil
}

// VerifyIdentity waits for the jobs in the options, if there are any, and
// verifies the user's name, email address, telephone number and address, as far
// as they are given. It creates an insight, which may be billed.
//
// POST /users/{userId}/insights/identity: SERVER_ACCESS token, retried only if
// the request was never sent (class D).
func (c *Client) VerifyIdentity(ctx context.Context, userID string, claim insights.VerifyIdentityParams, o VerifyOptions, opts ...transport.Option) (*IdentityVerification, error) {
	if claim.Name == "" && claim.Email == "" && claim.Phone == "" && claim.Address == "" {
		return nil, errors.New("basiq: VerifyIdentity: Name, Email, Phone and Address are empty: set at least one")
	}
	if err := c.readyToVerify(ctx, "VerifyIdentity", userID, o, opts); err != nil {
		return nil, err
	}
	insight, err := c.Insights.Insights.VerifyIdentity(ctx, userID, claim, opts...)
	if err != nil {
		return nil, err
	}
	v := &IdentityVerification{IdentityMatch: identityMatchOf(claim, insights.IdentityFinding{}), Insight: insight}
	for i, row := range insight.Data {
		m := identityMatchOf(claim, row)
		if i == 0 || m.rank() > v.rank() {
			v.IdentityMatch = m
		}
		v.Identities = append(v.Identities, m)
	}
	return v, nil
}

// identityMatchOf returns the result for one identity. Its email addresses, telephone
// numbers and addresses are alternatives.
func identityMatchOf(claim insights.VerifyIdentityParams, row insights.IdentityFinding) (out IdentityMatch) {
	var all []VerifyOutcome
	for _, part := range []struct {
		given   string
		to      *Match[string]
		results []insights.MatchResult
	}{
		{claim.Name, &out.Name, []insights.MatchResult{row.Name}},
		{claim.Email, &out.Email, row.Emails},
		{claim.Phone, &out.Phone, row.Phones},
		{claim.Address, &out.Address, row.Addresses},
	} {
		if part.given == "" {
			continue
		}
		var matches []Match[string]
		for _, result := range part.results {
			matches = append(matches, matchOf(result))
		}
		*part.to = best(matches)
		if part.to.Input == "" {
			part.to.Input = part.given
		}
		all = append(all, part.to.Outcome)
	}
	out.Outcome = every(all...)
	return out
}

// rank orders the identities of a user, best first: those that match, those of which
// nothing is known to differ, and the others; within each, by the members that match.
func (m *IdentityMatch) rank() (n int) {
	switch m.Outcome {
	case Matched:
		n = 20
	case CouldNotVerify:
		n = 10
	}
	for _, part := range []Match[string]{m.Name, m.Email, m.Phone, m.Address} {
		if part.Outcome == Matched {
			n++
		}
	}
	return n
}

// VerifyIncome waits for the jobs in the options, if there are any, and verifies
// that the user's income is in a range. It creates an insight, which may be
// billed.
//
// POST /users/{userId}/insights/income: SERVER_ACCESS token, retried only if the
// request was never sent (class D).
func (c *Client) VerifyIncome(ctx context.Context, userID string, income insights.Range, o VerifyOptions, opts ...transport.Option) (*IncomeVerification, error) {
	if err := checkRange("VerifyIncome", income); err != nil {
		return nil, err
	}
	if err := c.readyToVerify(ctx, "VerifyIncome", userID, o, opts); err != nil {
		return nil, err
	}
	insight, err := c.Insights.Insights.VerifyIncome(ctx, userID, insights.VerifyIncomeParams{Income: income}, opts...)
	if err != nil {
		return nil, err
	}
	var matches []Match[insights.Range]
	for _, row := range insight.Data {
		matches = append(matches, rangeMatchOf(row))
	}
	v := &IncomeVerification{Match: best(matches), Insight: insight}
	if v.Input.Min == "" {
		v.Input = income
	}
	return v, nil
}

// readyToVerify checks the arguments that all verifications share, and waits for
// the jobs.
func (c *Client) readyToVerify(ctx context.Context, method, userID string, o VerifyOptions, opts []transport.Option) error {
	if err := c.checkReady(ctx, method); err != nil {
		return err
	}
	if userID == "" {
		return fmt.Errorf("basiq: %s: the user ID is empty", method)
	}
	if len(o.JobIDs) == 0 {
		return nil
	}
	o.Wait.UserID = userID
	_, err := c.WaitForJobs(ctx, o.JobIDs, o.Wait, opts...)
	return err
}

// checkRange returns an error if the API would reject a range.
func checkRange(method string, r insights.Range) error {
	switch {
	case r.Min == "":
		return fmt.Errorf("basiq: %s: Min is empty: a range needs a minimum", method)
	case !r.Min.Valid():
		return fmt.Errorf("basiq: %s: Min is not a decimal number", method)
	case r.Max != "" && !r.Max.Valid():
		return fmt.Errorf("basiq: %s: Max is not a decimal number", method)
	case r.Max != "" && r.Min.Cmp(r.Max) > 0:
		return fmt.Errorf("basiq: %s: Min is greater than Max, so that nothing could match", method)
	}
	return nil
}

// outcomeOf returns the outcome for a match, which is null or absent if the value
// could not be verified.
func outcomeOf(match *bool) VerifyOutcome {
	switch {
	case match == nil:
		return CouldNotVerify
	case *match:
		return Matched
	}
	return NoMatch
}

func matchOf(r insights.MatchResult) Match[string] {
	input, isText := r.Input.Text()
	if !isText {
		input = r.Input.Raw().String()
	}
	return Match[string]{input, outcomeOf(r.Match), r.Confidence, r.Error}
}

func rangeMatchOf(r insights.RangeResult) Match[insights.Range] {
	return Match[insights.Range]{Input: r.Input, Outcome: outcomeOf(r.Match), Confidence: r.Confidence}
}

// best returns the result for alternatives, one of which must match: of those with
// the outcome of some, the one with the greatest confidence, then one with a reason.
// Without alternatives, it is zero.
func best[T any](all []Match[T]) (out Match[T]) {
	var outcomes []VerifyOutcome
	for _, m := range all {
		outcomes = append(outcomes, m.Outcome)
	}
	outcome, found := some(outcomes...), false
	for _, m := range all {
		if m.Outcome != outcome {
			continue
		}
		if !found || m.Confidence > out.Confidence || m.Confidence == out.Confidence && out.Reason == "" && m.Reason != "" {
			out, found = m, true
		}
	}
	return out
}

// some returns the outcome for alternatives, one of which must match.
func some(all ...VerifyOutcome) VerifyOutcome {
	out, unknown := NoMatch, len(all) == 0
	for _, o := range all {
		if o == Matched {
			return Matched
		}
		unknown = unknown || o == CouldNotVerify
	}
	if unknown {
		out = CouldNotVerify
	}
	return out
}

// every returns the outcome for parts, all of which must match.
func every(all ...VerifyOutcome) VerifyOutcome {
	out, unknown := Matched, len(all) == 0
	for _, o := range all {
		if o == NoMatch {
			return NoMatch
		}
		unknown = unknown || o == CouldNotVerify
	}
	if unknown {
		out = CouldNotVerify
	}
	return out
}
