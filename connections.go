package basiq

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/basiq-sdk/basiq-go/internal/pageshape"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
)

// StartRefresh starts a refresh of a connection and returns its job without
// waiting. If a refresh is already queued or running, it returns that job, and
// [Job.Existing] reports true. See [data.ConnectionsService.Refresh] for the
// rules and limits of refreshing.
//
// POST /users/{userId}/connections/{connectionId}/refresh: SERVER_ACCESS token,
// retried only if the request was never sent (class D).
func (c *Client) StartRefresh(ctx context.Context, userID, connectionID string, opts ...transport.Option) (*Job, error) {
	if err := c.checkReady(ctx, "StartRefresh"); err != nil {
		return nil, err
	}
	var res *http.Response
	ref, err := c.Data.Connections.Refresh(ctx, userID, connectionID, slices.Concat(opts, []transport.Option{transport.WithResponse(&res)})...)
	if err != nil {
		return nil, err
	}
	return c.startedJob(ref.ID, userID, res)
}

// StartRefreshes starts a refresh of all active connections of a user, and
// returns one job for each without waiting. Basiq advises against refreshing
// all connections: check LastUsed of each connection first.
//
// POST /users/{userId}/connections/refresh: SERVER_ACCESS token, retried only
// if the request was never sent (class D).
func (c *Client) StartRefreshes(ctx context.Context, userID string, opts ...transport.Option) ([]*Job, error) {
	if err := c.checkReady(ctx, "StartRefreshes"); err != nil {
		return nil, err
	}
	var res *http.Response
	list, err := c.Data.Connections.RefreshAll(ctx, userID, slices.Concat(opts, []transport.Option{transport.WithResponse(&res)})...)
	if err != nil {
		return nil, err
	}
	if len(list.Data) == 0 && pageshape.Unreadable(list, 0, "") != "" {
		return nil, errNoJobID
	}
	jobs := make([]*Job, len(list.Data))
	for i, ref := range list.Data {
		if jobs[i], err = c.startedJob(ref.ID, userID, res); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// errNoJobID is returned if the API accepted a request that starts a job, but
// did not return a job ID.
var errNoJobID = errors.New("basiq: the API accepted the request but returned no job ID: list the user's jobs before trying again")

// startedJob returns a handle for a job that a request started. res is the
// response to a refresh request, and nil for other requests.
func (c *Client) startedJob(jobID, userID string, res *http.Response) (*Job, error) {
	if jobID == "" {
		return nil, errNoJobID
	}
	j := c.Job(jobID)
	j.userID = userID
	j.existing = res != nil && res.StatusCode == http.StatusOK
	return j, nil
}

// RefreshConnection refreshes a connection and waits until the refresh has
// finished. See [Client.StartRefresh] and [Job.Wait]. [JobResult.Existing] reports
// whether the refresh was already queued or running.
//
// POST /users/{userId}/connections/{connectionId}/refresh, retried only if the
// request was never sent (class D), then GET /jobs/{jobId}: SERVER_ACCESS token.
func (c *Client) RefreshConnection(ctx context.Context, userID, connectionID string, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	return runWorkflow(ctx, c, "RefreshConnection", func(ctx context.Context) (*JobResult, error) {
		job, err := c.StartRefresh(ctx, userID, connectionID, opts...)
		if err != nil {
			return nil, err
		}
		return job.Wait(ctx, o, opts...)
	})
}

// RefreshConnections refreshes all active connections of a user and waits until
// all refreshes have finished. See [Client.StartRefreshes] and
// [Client.WaitForJobs].
//
// POST /users/{userId}/connections/refresh, retried only if the request was never
// sent (class D), then GET /jobs/{jobId} for each job: SERVER_ACCESS token.
func (c *Client) RefreshConnections(ctx context.Context, userID string, o WaitOptions, opts ...transport.Option) ([]*JobResult, error) {
	return runWorkflow(ctx, c, "RefreshConnections", func(ctx context.Context) ([]*JobResult, error) {
		jobs, err := c.StartRefreshes(ctx, userID, opts...)
		if err != nil {
			return nil, err
		}
		return waitForAll(ctx, jobs, o, opts)
	})
}

// PurgedError is the error of PurgeAndRefresh if the purge succeeded but the
// refresh did not, or its outcome is unknown. The old data of the connection
// has been deleted. Err is the cause. Refresh the connection to fetch its data
// again.
type PurgedError struct {
	ConnectionID string
	Err          error
}

// Error returns the connection ID and the cause.
func (e *PurgedError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: the data of connection %s was purged, but not fetched again: %s: refresh the connection",
		safetext.Identifier(e.ConnectionID), causeText(e.Err))
}

// Unwrap returns Err.
func (e *PurgedError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// PurgeAndRefresh deletes all data of an active connection and fetches again
// what the institution still shares. Use it, for example, to have old
// transactions enriched. The new data may not go back as far, and transactions
// get new IDs.
//
// A refresh that was already queued or running may have fetched some data
// before the purge. PurgeAndRefresh waits for that refresh and then starts a
// second one, unless the first fails for a reason that only the user can
// resolve. [WaitOptions.Timeout] limits each wait separately.
//
// An error before or during the purge is returned unchanged; if it matches
// [transport.ErrOutcomeUnknown], the data may have been deleted. An error after
// the purge is a [*PurgedError].
//
// POST /users/{userId}/connections/{connectionId}/purge, retried only if it was
// definitely not executed (class C), then as
// [Client.RefreshConnection]: SERVER_ACCESS token.
func (c *Client) PurgeAndRefresh(ctx context.Context, userID, connectionID string, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	return runWorkflow(ctx, c, "PurgeAndRefresh", func(ctx context.Context) (*JobResult, error) {
		return c.purgeAndRefresh(ctx, userID, connectionID, o, opts...)
	})
}

func (c *Client) purgeAndRefresh(ctx context.Context, userID, connectionID string, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	if err := c.Data.Connections.Purge(ctx, userID, connectionID, opts...); err != nil {
		return nil, err
	}
	result, err := c.RefreshConnection(ctx, userID, connectionID, o, opts...)
	var failed *JobError
	if err == nil && result.Existing || errors.As(err, &failed) && failed.Existing && !failed.NeedsUser() {
		result, err = c.RefreshConnection(ctx, userID, connectionID, o, opts...)
	}
	if err != nil {
		return nil, &PurgedError{ConnectionID: connectionID, Err: err}
	}
	return result, nil
}
