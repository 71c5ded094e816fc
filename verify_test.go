package basiq_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestVerifications checks each verification of a user whose connection is still
// being made when it starts.
func TestVerifications(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	ctx := t.Context()
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := srv.Connect(user, basiqtest.Gilfoyle)
	if err != nil {
		t.Fatal(err)
	}
	opts := basiq.VerifyOptions{JobIDs: jobs, Wait: basiq.WaitOptions{Interval: time.Millisecond}}
	v, err := client.VerifyAccount(ctx, user, insights.VerifyAccountParams{AccountNumber: "1"}, opts)
	if err != nil || v.Outcome != basiq.NoMatch || v.AccountID != "" || len(v.Accounts) != 1 || v.Accounts[0].Type.Outcome != basiq.CouldNotVerify || v.Insight.ID == "" {
		t.Fatalf("%+v, %v", v, err)
	}
	accounts, err := client.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.Data[0]
	for kind, want := range map[string]basiq.VerifyOutcome{"": basiq.Matched, "transaction": basiq.Matched, "mortgage": basiq.NoMatch} {
		v, err := client.VerifyAccount(ctx, user, insights.VerifyAccountParams{AccountNumber: account.Number, AccountType: kind}, opts)
		if err != nil || v.Outcome != want || (v.AccountID == account.ID) != (want == basiq.Matched) ||
			v.Accounts[0].Number != (basiq.Match[string]{Input: account.Number, Outcome: basiq.Matched, Confidence: 1}) || v.Accounts[0].Type.Input != kind {
			t.Errorf("%q: %+v, %v", kind, v, err)
		}
	}
	for low, want := range map[value.Decimal]basiq.VerifyOutcome{"0": basiq.Matched, "1000000": basiq.NoMatch} {
		b, err := client.VerifyBalance(ctx, user, insights.Range{Min: low}, opts)
		if err != nil || b.Outcome != want || (b.AccountID == account.ID) != (want == basiq.Matched) || b.Accounts[0].Balance.Input.Min != low {
			t.Errorf("a balance from %s: %+v, %v", low, b, err)
		}
		i, err := client.VerifyIncome(ctx, user, insights.Range{Min: low, Max: "2000000"}, opts)
		if err != nil || i.Outcome != want || i.Input.Max != "2000000" || i.Insight == nil {
			t.Errorf("an income from %s: %+v, %v", low, i, err)
		}
	}
	who, err := client.VerifyIdentity(ctx, user, insights.VerifyIdentityParams{Name: "Bertram Gilfoyle", Email: "other@example.com"}, opts)
	if err != nil || who.Outcome != basiq.NoMatch || who.Name.Outcome != basiq.Matched || who.Name.Confidence != 1 || who.Email.Outcome != basiq.NoMatch ||
		who.Phone != (basiq.Match[string]{}) || len(who.Identities) != 1 {
		t.Errorf("%+v, %v", who, err)
	}
	if who, err = client.VerifyIdentity(ctx, user, insights.VerifyIdentityParams{Name: "Bertram Gilfoyle", Phone: "+61 400 000 000"}, opts); err != nil || who.Outcome != basiq.Matched {
		t.Errorf("%+v, %v", who, err)
	}
	nobody, err := srv.AddUser("nobody@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := client.VerifyAccount(ctx, nobody, insights.VerifyAccountParams{AccountNumber: "1"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.CouldNotVerify {
		t.Errorf("a user without accounts: %+v, %v", v, err)
	}
}

// TestVerificationsTellUnknownFromNoMatch checks outcomes that the fake server does
// not have: what an institution does not share is not a mismatch.
func TestVerificationsTellUnknownFromNoMatch(t *testing.T) {
	b := newFakeAPI(t)
	client := b.onLoopback()
	ctx := t.Context()
	b.on("POST /users/u-1/insights/account", `{"data":[{"accountId":"a-1","accountNumber":{"input":"1","match":false,"confidence":0}},
		{"accountId":"a-2","accountNumber":{"input":"1","match":null,"error":"not shared"}}]}`)
	v, err := client.VerifyAccount(ctx, "u-1", insights.VerifyAccountParams{AccountNumber: "1"}, basiq.VerifyOptions{})
	if err != nil || v.Outcome != basiq.CouldNotVerify || v.Accounts[1].Number.Reason != "not shared" || v.Accounts[0].Number.Outcome != basiq.NoMatch {
		t.Errorf("%+v, %v", v, err)
	}
	b.on("POST /users/u-1/insights/balance", `{"data":[{"accountId":"a-1","balance":{"input":{"min":"1","max":""},"match":null}},
		{"accountId":"a-2","balance":{"input":{"min":"1","max":""},"match":true,"confidence":0.0}}]}`)
	if v, err := client.VerifyBalance(ctx, "u-1", insights.Range{Min: "1"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.Matched || v.AccountID != "a-2" {
		t.Errorf("%+v, %v", v, err)
	}
	// The name is that of one identity, and the address that of another.
	b.on("POST /users/u-1/insights/identity", `{"data":[
		{"name":{"input":"Max","match":true,"confidence":1},"addresses":[{"input":{"line":"1 Example Street"},"match":false,"confidence":0}]},
		{"name":{"input":"Max","match":false,"confidence":0},"addresses":[{"input":"1 Example Street","match":true,"confidence":0.8}],"emails":[]}]}`)
	who, err := client.VerifyIdentity(ctx, "u-1", insights.VerifyIdentityParams{Name: "Max", Address: "1 Example Street"}, basiq.VerifyOptions{})
	if err != nil || who.Outcome != basiq.NoMatch || who.Name.Outcome != basiq.Matched || who.Address.Input != `{"line":"1 Example Street"}` || who.Identities[1].Address.Confidence != 0.8 {
		t.Errorf("%+v, %v", who, err)
	}
	if who, err = client.VerifyIdentity(ctx, "u-1", insights.VerifyIdentityParams{Name: "Max", Email: "max@example.com"}, basiq.VerifyOptions{}); err != nil ||
		who.Outcome != basiq.CouldNotVerify || who.Email.Input != "max@example.com" || who.Email.Outcome != basiq.CouldNotVerify {
		t.Errorf("%+v, %v", who, err)
	}
	b.on("POST /users/u-1/insights/income", `{"insightType":"income","data":[]}`)
	if v, err := client.VerifyIncome(ctx, "u-1", insights.Range{Min: "1"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.CouldNotVerify || v.Input.Min != "1" {
		t.Errorf("%+v, %v", v, err)
	}
	for outcome, want := range map[basiq.VerifyOutcome]string{basiq.CouldNotVerify: "could not verify", basiq.NoMatch: "no match", basiq.Matched: "matched"} {
		if outcome.String() != want {
			t.Errorf("%d is %q", outcome, outcome)
		}
	}
}

// TestUnverifiedAlternativesAreNotMismatches checks members of which the user has
// several on file: if one of them could not be compared, it may be the one that matches.
func TestUnverifiedAlternativesAreNotMismatches(t *testing.T) {
	b := newFakeAPI(t)
	client := b.onLoopback()
	b.on("POST /users/u-1/insights/identity", `{"data":[{"name":{"input":"Max","match":true,"confidence":1},
		"emails":[{"input":"max@example.com","match":false,"confidence":0.9},{"input":"max@example.com","match":null,"error":"masked"}],
		"phones":[{"input":"0400000000","match":false,"confidence":0.1},{"input":"0400000000","match":false,"confidence":0.2}]}]}`)
	who, err := client.VerifyIdentity(t.Context(), "u-1", insights.VerifyIdentityParams{Name: "Max", Email: "max@example.com"}, basiq.VerifyOptions{})
	if err != nil || who.Outcome != basiq.CouldNotVerify || who.Email != (basiq.Match[string]{Input: "max@example.com", Reason: "masked"}) {
		t.Errorf("%+v, %v", who, err)
	}
	who, err = client.VerifyIdentity(t.Context(), "u-1", insights.VerifyIdentityParams{Name: "Max", Phone: "0400000000"}, basiq.VerifyOptions{})
	if err != nil || who.Outcome != basiq.NoMatch || who.Phone != (basiq.Match[string]{Input: "0400000000", Outcome: basiq.NoMatch, Confidence: 0.2}) {
		t.Errorf("%+v, %v", who, err)
	}
	b.on("POST /users/u-1/insights/income", `{"insightType":"income","data":[{"input":{"min":"1","max":""},"match":false,"confidence":0},{"input":{"min":"1","max":""},"match":null}]}`)
	if v, err := client.VerifyIncome(t.Context(), "u-1", insights.Range{Min: "1"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.CouldNotVerify {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestVerificationsThatCannotMatchAreNotSent checks that nothing is created, and
// billed, for a claim that is not complete, or for data that did not arrive.
func TestVerificationsThatCannotMatchAreNotSent(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	ctx := t.Context()
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := srv.Connect(user, basiqtest.Bighead)
	if err != nil {
		t.Fatal(err)
	}
	failed := basiq.VerifyOptions{JobIDs: jobs, Wait: basiq.WaitOptions{Interval: time.Millisecond}}
	none := basiq.VerifyOptions{}
	account := insights.VerifyAccountParams{AccountNumber: "1"}
	for want, verify := range map[string]func() error{
		"VerifyAccount: the user ID is empty": func() error { _, err := client.VerifyAccount(ctx, "", account, none); return err },
		"VerifyAccount: AccountNumber is empty": func() error {
			_, err := client.VerifyAccount(ctx, user, insights.VerifyAccountParams{}, failed)
			return err
		},
		"VerifyBalance: Min is empty":               func() error { _, err := client.VerifyBalance(ctx, user, insights.Range{}, none); return err },
		"VerifyIncome: Min is not a decimal number": func() error { _, err := client.VerifyIncome(ctx, user, insights.Range{Min: "much"}, none); return err },
		"VerifyIncome: Max is not a decimal number": func() error {
			_, err := client.VerifyIncome(ctx, user, insights.Range{Min: "1", Max: "-"}, none)
			return err
		},
		"VerifyBalance: Min is greater than Max": func() error {
			_, err := client.VerifyBalance(ctx, user, insights.Range{Min: "2", Max: "1"}, none)
			return err
		},
		"VerifyIdentity: Name, Email, Phone and Address are empty": func() error {
			_, err := client.VerifyIdentity(ctx, user, insights.VerifyIdentityParams{}, failed)
			return err
		},
		"failed at verify-credentials: invalid-cred": func() error { _, err := client.VerifyAccount(ctx, user, account, failed); return err },
		"belongs to another user":                    func() error { _, err := client.VerifyAccount(ctx, "another", account, failed); return err },
	} {
		if err := verify(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, op := range []string{"VerifyAccount", "VerifyBalance", "VerifyIdentity", "VerifyIncome"} {
		if n := srv.Calls("insights.Insights." + op); n != 0 {
			t.Errorf("%s was sent %d times", op, n)
		}
	}
	if err := srv.RevokeConsent(user); err != nil {
		t.Fatal(err)
	}
	if _, err := client.VerifyAccount(ctx, user, account, none); !errors.Is(err, transport.ErrNoActiveConsent) {
		t.Errorf("without consent: %v", err)
	}
}
