package basiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
)

// EndReason is why an account's data can no longer be read.
type EndReason string

// Values of [EndReason].
const (
	// EndConsentRevoked means that the user has revoked the consent.
	EndConsentRevoked EndReason = "consent-revoked"
	// EndConsentExpired means that the consent has expired.
	EndConsentExpired EndReason = "consent-expired"
	// EndConsent means that the user has no active consent, and that the API does
	// not say how it ended.
	EndConsent EndReason = "consent-ended"
	// EndAccountGone means that the API no longer has the account, although the
	// user has an active consent: it was closed, is no longer shared, or its
	// connection was deleted.
	EndAccountGone EndReason = "account-gone"
	// EndAccountUnavailable means that the API still has the account, and that the
	// institution did not return it at the last refresh. It may have been closed,
	// and may become available again.
	EndAccountUnavailable EndReason = "account-unavailable"
)

// OfConsent reports whether the consent has ended, and with it the access to all
// data of the user.
func (r EndReason) OfConsent() bool {
	return r == EndConsentRevoked || r == EndConsentExpired || r == EndConsent
}

// EndedAccount is an account whose data can no longer be read. Under the Consumer
// Data Right, your copy of its data may have to be deleted or de-identified.
type EndedAccount struct {
	AccountID string
	Reason    EndReason
	Consent   *core.Consent // the consent that has ended; nil if another reason applies, or the API does not return it
}

// errAccountGone means that the API no longer has an account.
var errAccountGone = errors.New("account gone")

// end reports that an account has ended. Its state is dropped, so that everything is
// new if the account comes back.
func (r *syncRun) end(id string, reason EndReason, consent *core.Consent) {
	for known := range r.state.Accounts {
		if strings.EqualFold(known, id) {
			delete(r.state.Accounts, known)
		}
	}
	r.ended = append(r.ended, EndedAccount{AccountID: id, Reason: reason, Consent: consent})
}

// known returns the accounts of the cursor, sorted.
func (r *syncRun) known() []string {
	ids := make([]string, 0, len(r.state.Accounts))
	for id := range r.state.Accounts {
		ids = append(ids, id)
	}
	sortTexts(ids)
	return ids
}

// sortTexts is slices.Sort, which would be compiled into this package.
func sortTexts(list []string) {
	sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
}

// endAll reports that all accounts of the cursor have ended, and ends the run.
func (r *syncRun) endAll(reason EndReason, consent *core.Consent) {
	for _, id := range r.known() {
		r.end(id, reason, consent)
	}
	r.over = true
}

// endMissing reports the accounts of the cursor that are not in the list of accounts,
// as far as the API confirms that it no longer has them.
func (r *syncRun) endMissing(ctx context.Context, listed []data.Account) error {
	for i := range listed {
		r.recordStatus(&listed[i])
	}
	var missing []string
	for _, id := range r.known() {
		if slices.ContainsFunc(listed, func(a data.Account) bool { return strings.EqualFold(a.ID, id) }) {
			continue
		}
		switch gone, err := r.isGone(ctx, id); {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			r.failures = append(r.failures, err) // does not concern the other accounts
		case gone:
			missing = append(missing, id)
		}
	}
	if err := r.endGone(ctx, missing); err != nil {
		if ctx.Err() != nil {
			return err
		}
		r.failures = append(r.failures, err)
	}
	return nil
}

// recordStatus reports an account that has become unavailable.
func (r *syncRun) recordStatus(a *data.Account) {
	if a.ID == "" {
		return
	}
	switch state := r.state.account(a.ID, r.o.From); {
	case a.Status != data.AccountStatusUnavailable:
		state.Unavailable = false
	case !state.Unavailable:
		state.Unavailable = true
		r.ended = append(r.ended, EndedAccount{AccountID: a.ID, Reason: EndAccountUnavailable})
	}
}

// endGone reports accounts that the API no longer has, and all accounts if that is
// because the consent has ended.
func (r *syncRun) endGone(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	reason, consent, err := r.endOfConsent(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		r.endAll(reason, consent)
		return nil
	}
	for _, id := range ids {
		r.end(id, EndAccountGone, nil)
	}
	return nil
}

// endIfRefused reports all accounts, and returns true, if the API has refused a
// request because there is no active consent, and the consents confirm it. Without
// accounts to report, the refusal is an error.
func (r *syncRun) endIfRefused(ctx context.Context) (bool, error) {
	if len(r.state.Accounts) == 0 {
		return false, nil
	}
	reason, consent, err := r.endOfConsent(ctx)
	if err != nil || reason == "" {
		return false, err
	}
	r.endAll(reason, consent)
	return true, nil
}

// accountFailed handles an error of an account. It returns nil if the other accounts
// can be synced all the same, because the API rejects this account only.
func (r *syncRun) accountFailed(ctx context.Context, id string, err error) error {
	if err == errAccountGone {
		return r.endGone(ctx, []string{id})
	}
	var api *transport.Error
	if !errors.As(err, &api) || errors.As(err, new(*transport.TokenError)) || api.Status != http.StatusBadRequest && api.Status != http.StatusNotFound && api.Status != http.StatusGone {
		return err
	}
	switch {
	case errors.Is(err, transport.ErrNoActiveConsent):
		if ended, failure := r.endIfRefused(ctx); ended || failure != nil {
			return failure
		}
	case len(r.o.AccountIDs) > 0 && api.Status != http.StatusBadRequest && r.state.known(id):
		if gone, failure := r.isGone(ctx, id); gone || failure != nil {
			return cmp.Or(failure, r.endGone(ctx, []string{id}))
		}
	}
	r.failures = append(r.failures, fmt.Errorf("basiq: SyncTransactions: account %s was not synced: %w", safetext.Identifier(id), err))
	return nil
}

// isGone reports whether the API says that it does not have an account. A response
// without an error of the API, such as that of a gateway, does not say so.
func (r *syncRun) isGone(ctx context.Context, id string) (bool, error) {
	_, err := r.client.Data.Accounts.Get(ctx, r.userID, id, data.GetAccountsParams{}, r.opts...)
	if err == nil {
		return false, nil
	}
	if errors.Is(err, transport.ErrNoActiveConsent) { // says nothing about the account itself
		reason, _, err := r.endOfConsent(ctx)
		return reason != "", err
	}
	var api *transport.Error
	if !errors.As(err, &api) || errors.As(err, new(*transport.TokenError)) || api.Status != http.StatusNotFound && api.Status != http.StatusGone {
		return false, fmt.Errorf("basiq: SyncTransactions: account %s is not listed any more: whether it is gone is unknown: %w", safetext.Identifier(id), err)
	}
	return len(api.Problems) > 0, nil
}

// endOfConsent returns how the user's consent has ended, and "" if the user has an
// active consent, or if the API returns none at all.
func (r *syncRun) endOfConsent(ctx context.Context) (EndReason, *core.Consent, error) {
	list, err := r.client.Core.Consents.List(ctx, r.userID, r.opts...)
	switch {
	case errors.Is(err, transport.ErrNoActiveConsent):
		return EndConsent, nil, nil
	case errors.Is(err, transport.ErrNotFound):
		return "", nil, nil
	case err != nil:
		return "", nil, fmt.Errorf("basiq: SyncTransactions: whether the consent has ended is unknown: %w", err)
	}
	var last *core.Consent
	for i := range list.Data {
		c := &list.Data[i]
		switch c.Status {
		case core.ConsentStatusRevoked, core.ConsentStatusExpired:
		default: // active, or a status that this version does not know
			return "", nil, nil
		}
		if last == nil || cmp.Or(c.Updated.Compare(last.Updated), c.Created.Compare(last.Created)) > 0 {
			last = c
		}
	}
	switch {
	case last == nil:
		return "", nil, nil
	case last.Status == core.ConsentStatusRevoked:
		return EndConsentRevoked, last, nil
	}
	return EndConsentExpired, last, nil
}
