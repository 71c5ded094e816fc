package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// call is a kind of call that applications make.
type call struct {
	name      string
	operation string // operation ID
	target    string // the kind of requests that are hit by the fault
	before    int    // requests that succeed first, including the token request
	changes   bool   // whether it changes something
	polls     bool   // whether it polls until its timeout
	delivery  bool   // whether it is a webhook delivery, which Basiq makes
	do        func(context.Context, *basiq.Client) error
	after     func(context.Context, *basiq.Client, error) error // checks what must hold afterwards, without the fault
}

// limit is the deadline of a call, which is more than any call needs.
const limit = 8 * time.Second

// calls returns the kinds of call in the order of the matrix. Every cell needs new
// ones, because some of them keep state.
func calls() []call {
	var yielded []string
	var at transport.Cursor
	list := func(ctx context.Context, c *basiq.Client) error {
		for item, err := range c.Data.Transactions.All(ctx, canaryUser, data.ListTransactionsParams{}, transport.WithCursor(&at)) {
			if err != nil {
				return err
			}
			yielded = append(yielded, item.ID)
		}
		return nil
	}
	var all []string
	for i := range pages * pageSize {
		all = append(all, fmt.Sprint(i+1))
	}
	read := func(ctx context.Context, c *basiq.Client) error {
		user, err := c.Core.Users.Get(ctx, canaryUser)
		if err == nil && user.ID != canaryUser {
			return fmt.Errorf("got user %s", user.ID)
		}
		return err
	}
	upload := func(content io.Reader) func(context.Context, *basiq.Client) error {
		return func(ctx context.Context, c *basiq.Client) error {
			_, err := c.Data.Statements.Upload(ctx, canaryUser, data.UploadStatementParams{
				InstitutionID: "AU00001", Statement: transport.File{Name: "july.csv", Content: content},
			})
			return err
		}
	}
	file := strings.Repeat("line\n", 2000) + canaryFile
	return []call{
		{name: "read", operation: "core.Users.Get", target: "read", before: 1, do: read},
		{
			name: "list", operation: "data.Transactions.List", target: "list", before: 3, do: list,
			after: func(ctx context.Context, c *basiq.Client, err error) error {
				if err != nil && len(yielded) != 2*pageSize {
					return fmt.Errorf("two pages succeeded, but %d items were yielded", len(yielded))
				}
				if errors.As(err, new(*transport.TokenError)) {
					return nil // the rejection of the key is cached for a while
				}
				if err != nil {
					if err := list(ctx, c); err != nil {
						return fmt.Errorf("resuming the list: %w", err)
					}
				}
				if !slices.Equal(yielded, all) {
					return fmt.Errorf("the items yielded in total are %v", yielded)
				}
				return nil
			},
		},
		{name: "create", operation: "core.Users.Create", target: "create", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			_, err := c.Core.Users.Create(ctx, core.CreateUserParams{Email: canaryMail})
			return err
		}},
		{name: "write", operation: "core.AuthLinks.Create", target: "write", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			_, err := c.Core.AuthLinks.Create(ctx, canaryUser, core.CreateAuthLinkParams{})
			return err
		}},
		{name: "delete", operation: "core.Users.Delete", target: "delete", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			return c.Core.Users.Delete(ctx, canaryUser)
		}},
		{name: "upload", operation: "data.Statements.Upload", target: "upload", before: 1, changes: true, do: upload(strings.NewReader(file))},
		{name: "stream", operation: "data.Statements.Upload", target: "upload", before: 1, changes: true, do: upload(io.MultiReader(strings.NewReader(file)))},
		{name: "token", operation: "token", target: "token", do: read},
		{name: "poll", operation: "core.Jobs.Get", target: "poll", before: 2, polls: true, do: func(ctx context.Context, c *basiq.Client) error {
			if err := c.SetPollRate(1000); err != nil {
				return err
			}
			result, err := c.WaitForJob(ctx, "job", basiq.WaitOptions{Timeout: waitTimeout, Interval: 40 * time.Millisecond, MaxInterval: 40 * time.Millisecond})
			if err == nil && result.Job.ID != "job" {
				return fmt.Errorf("got the result of job %s", result.Job.ID)
			}
			return err
		}},
		{name: "webhook", target: "webhook", delivery: true},
	}
}

// waitTimeout is the timeout for a job. It is long enough for one poll after the
// second that some faults ask for, and too short for two.
const waitTimeout = 1900 * time.Millisecond
