package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// demo is a night of a fleet against a fake server.
type demo struct {
	users, transactions, workers, kills, limit, rate int
	database, program                                string
}

// envWorker marks worker processes of the demonstration.
const envWorker = "FLEETSYNC_WORKER"

// result is what came of it.
type result struct {
	elapsed, most                             time.Duration // of all users, and of 90 %
	rows, missing, duplicates, unexpected     int
	requests, refused, tokenRequests, retries int64
}

// run enqueues all users, keeps the workers running until the queue is empty, and
// compares the copy with the server.
func (d demo) run(ctx context.Context, out io.Writer) (*result, error) {
	if min(d.users, d.workers, d.limit, d.rate) < 1 || d.kills < 0 {
		return nil, errors.New("the numbers of users, workers and requests must be positive")
	}
	b, err := newBank(d)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if d.database == "" {
		dir, err := os.MkdirTemp("", "fleetsync")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		d.database = filepath.Join(dir, "fleet.db")
	}
	db, err := open(ctx, d.database)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.createTables(ctx); err != nil {
		return nil, err
	}
	begin := time.Now()
	if _, err := enqueue(ctx, db, b.users, begin); err != nil {
		return nil, err
	}
	var jobs, rows int
	if err := db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM river_job), (SELECT COUNT(*) FROM transactions)`).Scan(&jobs, &rows); err != nil {
		return nil, err
	}
	if jobs != d.users || rows != 0 {
		return nil, errors.New("the database contains another run: use an empty one")
	}
	r := new(result)
	if err := d.supervise(ctx, out, db, b, begin, r); err != nil {
		return nil, err
	}
	r.requests, r.refused, r.tokenRequests = b.requests.Load(), b.refused.Load(), int64(b.server.Calls("core.Auth.CreateToken"))
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(SUM(attempt - 1), 0) FROM river_job`).Scan(&r.retries); err != nil {
		return nil, err
	}
	if err := b.compare(ctx, db, r); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%d users in %.1f s: %.1f users a second, and %.1f for the first 90 %%\n", d.users, r.elapsed.Seconds(), float64(d.users)/r.elapsed.Seconds(), 0.9*float64(d.users)/r.most.Seconds())
	fmt.Fprintf(out, "%d workers killed, %d jobs run again\n", d.kills, r.retries)
	fmt.Fprintf(out, "%d rows: %d missing, %d duplicates, %d unexpected\n", r.rows, r.missing, r.duplicates, r.unexpected)
	fmt.Fprintf(out, "%d requests: %.2f %% refused by the rate limit, %d token requests\n", r.requests, 100*float64(r.refused)/float64(r.requests), r.tokenRequests)
	return r, nil
}

// supervise starts workers, kills d.kills of them in the first half, replaces them, and stops
// all of them when the queue is empty.
func (d demo) supervise(ctx context.Context, out io.Writer, db *database, b *bank, begin time.Time, r *result) error {
	environment := append(os.Environ(), envDatabase+"="+d.database, envKey+"="+newKey(), envRate+"="+strconv.Itoa(d.rate),
		basiq.EnvAPIKey+"="+b.server.APIKey(), basiq.EnvBaseURL+"="+b.url, envTimeout+"=15s", envWorker+"=1")
	workers := make([]*process, d.workers)
	defer func() {
		for _, w := range workers {
			if w != nil {
				_ = w.input.Close()
			}
		}
		for _, w := range workers {
			if w != nil {
				_ = w.Wait()
			}
		}
	}()
	for i := range workers {
		var err error
		if workers[i], err = startProcess(d.program, environment); err != nil {
			return err
		}
	}
	killed, reported := 0, -1
	for tick := 0; ; tick++ {
		done, lost, err := progress(ctx, db)
		switch {
		case err != nil:
			return err
		case lost > 0:
			return fmt.Errorf("%d users failed too often: see the table river_job", lost)
		}
		if done >= d.users*9/10 && r.most == 0 {
			r.most = time.Since(begin)
		}
		if r.elapsed = time.Since(begin); tick%10 == 0 && done != reported || done == d.users {
			reported = done
			fmt.Fprintf(out, "%6s %5d of %d users, %d requests, %d refused\n", time.Since(begin).Round(time.Second), done, d.users, b.requests.Load(), b.refused.Load())
		}
		if done == d.users {
			return nil
		}
		if killed < d.kills && done >= (killed+1)*d.users/(d.kills+1)/2 {
			i := killed % d.workers
			_ = workers[i].Process.Kill()
			_ = workers[i].Wait()
			fmt.Fprintf(out, "killed worker %d: its jobs run again after half a minute\n", i+1)
			if workers[i], err = startProcess(d.program, environment); err != nil {
				return err
			}
			killed++
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// process is a worker process. It stops when its input is closed, also because this
// process has ended.
type process struct {
	*exec.Cmd
	input io.Closer
}

func startProcess(program string, environment []string) (*process, error) {
	cmd := exec.Command(program, "work")
	cmd.Env, cmd.Stderr = environment, os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, input}, nil
}

// untilInputEnds returns a context that ends with the standard input.
func untilInputEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return ctx
}

// progress returns how many users are done, and how many are lost.
func progress(ctx context.Context, db *database) (done, lost int, err error) {
	err = db.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN state = 'completed' THEN 1 ELSE 0 END), 0),
COALESCE(SUM(CASE WHEN state IN ('discarded', 'cancelled') THEN 1 ELSE 0 END), 0) FROM river_job`).Scan(&done, &lost)
	return done, lost, err
}

// bank is a fake server behind a rate limit.
type bank struct {
	server            *basiqtest.Server
	front             *http.Server
	url               string
	users             []string
	requests, refused atomic.Int64
}

func newBank(d demo) (*bank, error) {
	server, err := basiqtest.Start(basiqtest.WithoutQuotas(), basiqtest.WithTransactions(d.transactions))
	if err != nil {
		return nil, err
	}
	b := &bank{server: server}
	logins := []basiqtest.Login{basiqtest.WentworthSmith, basiqtest.Jared, basiqtest.Richard}
	for i := range d.users {
		id, err := server.AddUser(fmt.Sprintf("user%d@example.com", i))
		if err == nil {
			_, err = server.AddConnection(id, logins[i%len(logins)])
		}
		if err != nil {
			server.Close()
			return nil, err
		}
		b.users = append(b.users, id)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		server.Close()
		return nil, err
	}
	b.url = "http://" + l.Addr().String()
	b.front = &http.Server{Handler: b.limited(d.limit), ReadHeaderTimeout: time.Minute}
	go func() { _ = b.front.Serve(l) }()
	return b, nil
}

func (b *bank) close() {
	_ = b.front.Close()
	b.server.Close()
}

// limited refuses what exceeds the rate: a token bucket with a tenth of a second.
func (b *bank) limited(rate int) http.Handler {
	var mu sync.Mutex
	capacity := float64(max(1, rate/10))
	tokens, last := capacity, time.Now()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := time.Now()
		tokens, last = min(capacity, tokens+now.Sub(last).Seconds()*float64(rate)), now
		accepted := tokens >= 1
		if accepted {
			tokens--
		}
		mu.Unlock()
		b.requests.Add(1)
		if !accepted {
			b.refused.Add(1)
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		b.server.ServeHTTP(w, r)
	})
}

// compare reads all transactions from the server, without its limit, and compares them
// with the copy.
func (b *bank) compare(ctx context.Context, db *database, r *result) error {
	client, err := basiq.NewClient(b.server.Options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	copies := map[[2]string]int{}
	rows, err := db.QueryContext(ctx, `SELECT user_id, id FROM transactions`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var user, id string
		if err := rows.Scan(&user, &id); err != nil {
			return err
		}
		r.rows++
		if copies[[2]string{user, id}]++; copies[[2]string{user, id}] > 1 {
			r.duplicates++
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, user := range b.users {
		for tx, err := range client.Data.Transactions.All(ctx, user, data.ListTransactionsParams{}) {
			if err != nil {
				return err
			}
			key := [2]string{user, tx.ID}
			if copies[key] == 0 {
				r.missing++
			}
			delete(copies, key)
		}
	}
	r.unexpected = len(copies)
	return nil
}
