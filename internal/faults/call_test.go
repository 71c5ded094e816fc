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

// call is a kind of call, as an application makes it.
type call struct {
	name      string
	operation string // its ID
	hits      string // the kind of requests that are broken
	before    int    // requests that go well first, the one for the token among them
	changes   bool   // it changes something
	repeats   bool   // it goes on as long as it can
	inward    bool   // Basiq makes it: a delivery to a webhook
	do        func(context.Context, *basiq.Client) error
	after     func(context.Context, *basiq.Client, error) error // what must hold then, with the fault lifted
}

// limit is the deadline of a call: more than any of them needs.
const limit = 8 * time.Second

// calls lists the kinds of call in the order of the table. They are made anew
// for every cell, as some of them remember what came of them.
func calls() []call {
	var given []string
	var at transport.Cursor
	list := func(ctx context.Context, c *basiq.Client) error {
		for item, err := range c.Data.Transactions.All(ctx, canaryUser, data.ListTransactionsParams{}, transport.WithCursor(&at)) {
			if err != nil {
				return err
			}
			given = append(given, item.ID)
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
			return fmt.Errorf("the answer is of %s", user.ID)
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
		{name: "read", operation: "core.Users.Get", hits: "read", before: 1, do: read},
		{
			name: "list", operation: "data.Transactions.List", hits: "list", before: 3, do: list,
			after: func(ctx context.Context, c *basiq.Client, err error) error {
				if err != nil && len(given) != 2*pageSize {
					return fmt.Errorf("two pages were good, and %d items were given", len(given))
				}
				if errors.As(err, new(*transport.TokenError)) {
					return nil // the refusal of the key stands for a while
				}
				if err != nil {
					if err := list(ctx, c); err != nil {
						return fmt.Errorf("going on where the list ended: %w", err)
					}
				}
				if !slices.Equal(given, all) {
					return fmt.Errorf("in all, the items %v were given", given)
				}
				return nil
			},
		},
		{name: "create", operation: "core.Users.Create", hits: "create", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			_, err := c.Core.Users.Create(ctx, core.CreateUserParams{Email: canaryMail})
			return err
		}},
		{name: "write", operation: "core.AuthLinks.Create", hits: "write", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			_, err := c.Core.AuthLinks.Create(ctx, canaryUser, core.CreateAuthLinkParams{})
			return err
		}},
		{name: "delete", operation: "core.Users.Delete", hits: "delete", before: 1, changes: true, do: func(ctx context.Context, c *basiq.Client) error {
			return c.Core.Users.Delete(ctx, canaryUser)
		}},
		{name: "upload", operation: "data.Statements.Upload", hits: "upload", before: 1, changes: true, do: upload(strings.NewReader(file))},
		{name: "stream", operation: "data.Statements.Upload", hits: "upload", before: 1, changes: true, do: upload(io.MultiReader(strings.NewReader(file)))},
		{name: "token", operation: "token", hits: "token", do: read},
		{name: "poll", operation: "core.Jobs.Get", hits: "poll", before: 2, repeats: true, do: func(ctx context.Context, c *basiq.Client) error {
			if err := c.SetPollRate(1000); err != nil {
				return err
			}
			result, err := c.WaitForJob(ctx, "job", basiq.WaitOptions{Timeout: patience, Interval: 40 * time.Millisecond, MaxInterval: 40 * time.Millisecond})
			if err == nil && result.Job.ID != "job" {
				return fmt.Errorf("the result is of %s", result.Job.ID)
			}
			return err
		}},
		{name: "webhook", hits: "webhook", inward: true},
	}
}

// patience is how long a job is waited for: long enough for a look after the
// second that some servers ask for, and too short for two.
const patience = 1900 * time.Millisecond
