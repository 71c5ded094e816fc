package basiq

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/basiq-sdk/basiq-go/internal/pageshape"
	"github.com/basiq-sdk/basiq-go/transport"
)

// StartRefresh starts a refresh of a connection, or finds the one that is
// queued or running already: Job.Existing tells. See Connections.Refresh of the
// data package for the rules and limits of refreshing.
//
// POST /users/{userId}/connections/{connectionId}/refresh: SERVER_ACCESS token,
// repeated only when it was never sent (class D).
func (c *Client) StartRefresh(ctx context.Context, userID, connectionID string, opts ...transport.Option) (*Job, error) {
	if err := c.ready(ctx, "StartRefresh"); err != nil {
		return nil, err
	}
	var res *http.Response
	ref, err := c.Data.Connections.Refresh(ctx, userID, connectionID, slices.Concat(opts, []transport.Option{transport.WithResponse(&res)})...)
	if err != nil {
		return nil, err
	}
	return c.started(ref.ID, userID, res)
}

// StartRefreshes starts a refresh of all of a user's active connections, a job
// for each. Basiq advises against that: look at each connection's LastUsed
// first.
//
// POST /users/{userId}/connections/refresh: SERVER_ACCESS token, repeated only
// when it was never sent (class D).
func (c *Client) StartRefreshes(ctx context.Context, userID string, opts ...transport.Option) ([]*Job, error) {
	if err := c.ready(ctx, "StartRefreshes"); err != nil {
		return nil, err
	}
	var res *http.Response
	list, err := c.Data.Connections.RefreshAll(ctx, userID, slices.Concat(opts, []transport.Option{transport.WithResponse(&res)})...)
	if err != nil {
		return nil, err
	}
	if len(list.Data) == 0 && pageshape.Unreadable(list, 0, "") != "" {
		return nil, errNoJob
	}
	jobs := make([]*Job, len(list.Data))
	for i, ref := range list.Data {
		if jobs[i], err = c.started(ref.ID, userID, res); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// errNoJob is the error of a call that was to start a job, and of which none is
// known.
var errNoJob = errors.New("basiq: the API accepted the call and named no job: look at the user's jobs")

// started makes the handle on a job that a call has named. res is the answer of
// a refresh, nil for other calls.
func (c *Client) started(jobID, userID string, res *http.Response) (*Job, error) {
	if jobID == "" {
		return nil, errNoJob
	}
	j := c.Job(jobID)
	j.userID = userID
	j.existing = res != nil && res.StatusCode == http.StatusOK
	return j, nil
}

// RefreshConnection refreshes a connection, and waits until that is done: see
// StartRefresh and Job.Wait. JobResult.Existing tells whether the refresh had
// been queued or running already.
func (c *Client) RefreshConnection(ctx context.Context, userID, connectionID string, opts WaitOptions) (*JobResult, error) {
	job, err := c.StartRefresh(ctx, userID, connectionID)
	if err != nil {
		return nil, err
	}
	return job.Wait(ctx, opts)
}

// RefreshConnections refreshes all of a user's active connections, and waits
// until that is done: see StartRefreshes and Client.WaitForJobs.
func (c *Client) RefreshConnections(ctx context.Context, userID string, opts WaitOptions) ([]*JobResult, error) {
	jobs, err := c.StartRefreshes(ctx, userID)
	if err != nil {
		return nil, err
	}
	return waitForAll(ctx, jobs, opts)
}

// PurgedError is the error of PurgeAndRefresh once the purge has succeeded: the
// connection's old data is gone, and the new was not fetched, or is not known to
// have been. The cause is wrapped. Refresh the connection.
type PurgedError struct {
	ConnectionID string
	Err          error
}

// Error names the connection and the cause.
func (e *PurgedError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: connection %s was purged, and its data was not fetched again: %s",
		printable(e.ConnectionID), because(e.Err))
}

// Unwrap returns the cause.
func (e *PurgedError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// PurgeAndRefresh removes all data that an active connection has brought in,
// and fetches again what the institution still shares: to have enrichment
// applied to old transactions, for instance. What is fetched may go back less
// far, and transactions get new IDs.
//
// A refresh that was queued or running when the data was purged may have
// fetched a part of it before; it is waited for, and followed by one of its own,
// unless it fails for a reason that needs the user. WaitOptions.Timeout bounds
// each of the waits.
//
// An error before or of the purge is returned as it is; when it is
// transport.ErrOutcomeUnknown, the data may be gone. One after it is a
// *PurgedError.
func (c *Client) PurgeAndRefresh(ctx context.Context, userID, connectionID string, opts WaitOptions) (*JobResult, error) {
	if err := c.ready(ctx, "PurgeAndRefresh"); err != nil {
		return nil, err
	}
	if err := c.Data.Connections.Purge(ctx, userID, connectionID); err != nil {
		return nil, err
	}
	result, err := c.RefreshConnection(ctx, userID, connectionID, opts)
	var failed *JobError
	if err == nil && result.Existing || errors.As(err, &failed) && failed.Existing && !failed.NeedsUser() {
		result, err = c.RefreshConnection(ctx, userID, connectionID, opts)
	}
	if err != nil {
		return nil, &PurgedError{ConnectionID: connectionID, Err: err}
	}
	return result, nil
}
