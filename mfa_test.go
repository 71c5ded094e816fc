package basiq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// asking returns a job whose bank asks two questions.
func asking(link string) string {
	return `{"type":"job","id":"j-1","jobType":"connection","links":{"self":"/jobs/j-1","source":"https://basiq.invalid/users/u-1/connections/c-1"},"steps":[
		{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-1/connections/c-1"}},
		{"title":"mfa-challenge","status":"in-progress","result":{"type":"mfa","method":"security-questions","description":"Tell us",
			"input":["First pet?","First car?"],"expiryMs":120000,"links":{"response":"` + link + `"}}},
		{"title":"retrieve-accounts","status":"pending","result":null}]}`
}

var answered = steps("j-1", done)

const accepted = `{"type":"job","id":"j-1","links":{"self":"/jobs/j-1"}}`

func pets(context.Context, basiq.MFA) ([]string, error) { return []string{"Rex", "Mini"}, nil }

// TestMFA checks that OnMFA gets the complete question, and that its answer is
// sent once to the response link, with a token of the user.
func TestMFA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", append(repeat(asking("/jobs/j-1/mfa"), 4), answered)...)
		b.on("POST /jobs/j-1/mfa", accepted)
		var got basiq.MFA
		r, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
			got = m
			if left := m.TimeLeft(); left != 2*time.Minute {
				t.Errorf("%s are left", left)
			}
			if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(m.Expires) {
				t.Errorf("the context ends at %s", deadline)
			}
			time.Sleep(time.Minute)
			return pets(ctx, m)
		}})
		if err != nil || r.ConnectionID() != "c-1" {
			t.Fatalf("%v, %v", r, err)
		}
		if got.Method != "security-questions" || got.Description != "Tell us" || !slices.Equal(got.Prompts, []string{"First pet?", "First car?"}) ||
			got.JobID != "j-1" || got.UserID != "u-1" || got.ResponseURL != "/jobs/j-1/mfa" {
			t.Errorf("%+v", got)
		}
		posts := b.calls("POST /jobs/j-1/mfa")
		if len(posts) != 1 || posts[0].body != `{"mfa-response":["Rex","Mini"]}` || posts[0].token != "Bearer "+tokenText+"-CLIENT_ACCESS-u-1" {
			t.Errorf("%+v", posts)
		}
		for _, poll := range b.calls("GET /jobs/j-1") {
			if poll.token != "Bearer "+tokenText+"-SERVER_ACCESS-" {
				t.Errorf("a poll has the token %s", poll.token)
			}
		}
	})
}

// TestMFAAnswerResetsInterval checks that polling starts again with short
// intervals after an answer, because the user is waiting.
func TestMFAAnswerResetsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", append(repeat(steps("j-1", running), 10), asking(""), asking(""), answered)...)
		b.on("POST /jobs/j-1/mfa", accepted)
		if _, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: pets}); err != nil {
			t.Fatal(err)
		}
		polls := b.calls("GET /jobs/j-1")
		if slow, quick := polls[10].at.Sub(polls[9].at), polls[11].at.Sub(polls[10].at); slow < 7*time.Second || quick > time.Second {
			t.Errorf("a pause of %s before, and of %s after the answer", slow, quick)
		}
	})
}

// TestMFALinks checks which response links are accepted. The base URL is
// https://basiq.invalid.
func TestMFALinks(t *testing.T) {
	for _, c := range []struct {
		name, link string
		to         string // "" if the link is rejected
	}{
		{"relative", "/jobs/j-1/mfa", "j-1"},
		{"absolute", "https://basiq.invalid/jobs/j-1/mfa", "j-1"},
		{"absolute, with its port", "https://BASIQ.invalid:443/jobs/j-1/mfa", "j-1"},
		{"none", "", "j-1"},
		{"escaped", "/jobs/j%2D1/mfa", "j-1"},
		{"another host", "https://evil.invalid/jobs/j-1/mfa", ""},
		{"another host, without scheme", "//evil.invalid/jobs/j-1/mfa", ""},
		{"another scheme", "http://basiq.invalid/jobs/j-1/mfa", ""},
		{"another port", "https://basiq.invalid:8443/jobs/j-1/mfa", ""},
		{"a name and password", "https://basiq.invalid@evil.invalid/jobs/j-1/mfa", ""},
		{"a name", "https://me@basiq.invalid/jobs/j-1/mfa", ""},
		{"another route", "/users/u-1", ""},
		{"another route, which ends alike", "/users/u-1/jobs/j-1/mfa", ""},
		{"a longer route", "/jobs/j-1/mfa/x", ""},
		{"no job", "/jobs//mfa", ""},
		{"dots", "/jobs/../mfa", ""},
		{"escaped dots", "/jobs/%2e%2e/mfa", ""},
		{"an escaped slash", "/jobs/a%2fb/mfa", ""},
		{"a query", "/jobs/j-1/mfa?x=1", ""},
		{"not a URL", "https://%zz", ""},
		{"a scheme of another kind", "javascript:alert(1)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", asking(c.link), answered)
			b.on("POST /", accepted)
			_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: pets, Interval: 1})
			var posts []string
			for _, a := range b.requests {
				if strings.HasPrefix(a.call, "POST") {
					posts = append(posts, a.call)
				}
			}
			if c.to != "" {
				if err != nil || !slices.Equal(posts, []string{"POST /jobs/" + c.to + "/mfa"}) {
					t.Errorf("%v, %q", err, posts)
				}
				return
			}
			var e *basiq.MFAError
			var path *transport.PathError
			if !errors.As(err, &e) || e.JobID != "j-1" || !errors.Is(err, basiq.ErrMFALink) && !errors.As(err, &path) || len(posts) != 0 {
				t.Errorf("%v, %q", err, posts)
			}
		})
	}
}

// TestMFABehindAProxy checks response links if the base URL has a path that the
// API does not know about.
func TestMFABehindAProxy(t *testing.T) {
	for _, link := range []string{"/jobs/j-1/mfa", "https://basiq.invalid/proxy/jobs/j-1/mfa"} {
		b := newFakeAPI(t)
		b.mux.Handle("/proxy/", http.StripPrefix("/proxy", b.mux))
		b.job("j-1", asking(link), answered)
		b.on("POST /jobs/j-1/mfa", accepted)
		client := b.inMemory(basiq.WithBaseURL("https://basiq.invalid/proxy"))
		if _, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: pets, Interval: 1}); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// TestMFAAnswerOutcomes checks the error for each response to an answer. The
// answer is sent only once.
func TestMFAAnswerOutcomes(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply string
		then  string // the job after the answer
		is    error  // nil means success
		not   error
		again bool // another wait calls OnMFA again
	}{
		{name: "accepted without a body", reply: "", then: answered},
		{name: "accepted with another body", reply: "<html>", then: answered},
		{name: "wrong, the job says", reply: accepted, then: steps("j-1", `verify-credentials=success mfa-challenge=failed={"code":"invalid-credentials"}`), is: basiq.ErrMFARejected},
		{name: "late, the job says", reply: accepted, then: steps("j-1", `verify-credentials=success mfa-challenge=failed={"code":"job-timed-out"}`), is: basiq.ErrMFAExpired},
		{name: "wrong, the API says", reply: "400 parameter-not-valid", is: basiq.ErrMFARejected},
		{name: "late, the API says", reply: "410 resource-no-longer-available", is: basiq.ErrMFAExpired},
		{name: "another user", reply: "401 unauthorized-access", is: transport.ErrUnauthorized, again: true},
		{name: "no such question", reply: "404 resource-not-found", is: transport.ErrNotFound, again: true},
		{name: "too many calls", reply: "429 too-many-requests", is: transport.ErrRateLimited, again: true},
		{name: "the API fails, and took it", reply: "500 internal-server-error", then: answered},
		{name: "the API fails, and did not take it", reply: "503", is: transport.ErrOutcomeUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				if c.then == "" {
					c.then = asking("/jobs/j-1/mfa")
				}
				b.job("j-1", asking("/jobs/j-1/mfa"), asking("/jobs/j-1/mfa"), c.then)
				b.on("POST /jobs/j-1/mfa", c.reply)
				asked := 0
				options := basiq.WaitOptions{Timeout: time.Minute, OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
					asked++
					return []string{"canary-1", "canary-2"}, nil
				}}
				job := b.inMemory().Job("j-1")
				_, err := job.Wait(t.Context(), options)
				if c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) {
					t.Fatal(err)
				}
				if n := len(b.calls("POST /jobs/j-1/mfa")); n != 1 || asked != 1 {
					t.Errorf("asked %d times, answered %d times", asked, n)
				}
				if err == nil {
					return
				}
				for _, kind := range []error{basiq.ErrMFARejected, basiq.ErrMFAExpired} {
					if errors.Is(err, kind) != (c.is == kind) {
						t.Errorf("errors.Is(err, %v) is %t", kind, errors.Is(err, kind))
					}
				}
				if text := allForms(err); strings.Contains(text, "canary") || strings.Contains(text, tokenText) {
					t.Errorf("an answer or a token is printed: %s", text)
				}
				wantText(t, err.Error(), "j-1")
				if c.then != asking("/jobs/j-1/mfa") {
					return
				}
				_, _ = job.Wait(t.Context(), options)
				if asked != 1+btoi(c.again) {
					t.Errorf("after another wait, asked %d times", asked)
				}
			})
		})
	}
}

// TestMFACallbackFailures checks that any failure of OnMFA is an error of the
// wait, and that no answer is sent.
func TestMFACallbackFailures(t *testing.T) {
	cause := errors.New("the user hung up")
	for _, c := range []struct {
		name string
		on   func(ctx context.Context, m basiq.MFA) ([]string, error)
		is   error
		text string
		took time.Duration
	}{
		{name: "an error", on: func(context.Context, basiq.MFA) ([]string, error) { return []string{"a", "b"}, cause }, is: cause},
		{name: "a panic", on: func(context.Context, basiq.MFA) ([]string, error) { panic("canary") }, text: "OnMFA panicked with a string"},
		{name: "a panic with an error", on: func(context.Context, basiq.MFA) ([]string, error) { panic(fmt.Errorf("canary")) }, text: "panicked with a *"},
		{name: "runtime.Goexit", on: func(context.Context, basiq.MFA) ([]string, error) { runtime.Goexit(); return nil, nil }, text: "called runtime.Goexit"},
		{name: "no answer", on: func(context.Context, basiq.MFA) ([]string, error) { return nil, nil }, text: "no answer was given"},
		{name: "too few answers", on: func(context.Context, basiq.MFA) ([]string, error) { return []string{"canary"}, nil }, text: "number of answers (1) differs from the number of prompts (2)"},
		{name: "respects its context", on: func(ctx context.Context, _ basiq.MFA) ([]string, error) { <-ctx.Done(); return nil, ctx.Err() },
			is: basiq.ErrMFAExpired, took: 2 * time.Minute},
		{name: "ignores its context", on: func(ctx context.Context, _ basiq.MFA) ([]string, error) {
			time.Sleep(time.Hour)
			return []string{"a", "b"}, nil
		}, is: basiq.ErrMFAExpired, took: 2 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				b.job("j-1", asking("/jobs/j-1/mfa"))
				start := time.Now()
				_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: c.on})
				if got := time.Since(start); got != c.took {
					t.Errorf("it took %s", got)
				}
				var e *basiq.MFAError
				if !errors.As(err, &e) || e.JobID != "j-1" || c.is != nil && !errors.Is(err, c.is) || e.Job().ID() != "j-1" {
					t.Fatalf("%#v", err)
				}
				wantText(t, err.Error(), "job j-1", c.text)
				if text := allForms(err); strings.Contains(text, "canary") {
					t.Errorf("printed: %s", text)
				}
				if len(b.requests) != 1 {
					t.Errorf("%d calls", len(b.requests))
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestMFAContextEnds checks that a wait ends with its context even while OnMFA
// runs.
func TestMFAContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", asking("/jobs/j-1/mfa"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := b.inMemory().WaitForJob(ctx, "j-1", basiq.WaitOptions{OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
			time.Sleep(time.Minute)
			return nil, nil
		}})
		var w *basiq.WaitError
		if got := time.Since(start); got != time.Second || !errors.As(err, &w) || !errors.Is(err, context.DeadlineExceeded) || w.Step != "mfa-challenge" {
			t.Errorf("%v after %s", err, got)
		}
		time.Sleep(time.Minute)
	})
}

// TestMFAInAnotherProcess checks that a question can be passed to another
// process as JSON and answered there, and that the wait can continue.
func TestMFAInAnotherProcess(t *testing.T) {
	b := newFakeAPI(t)
	b.job("j-1", append(repeat(asking("/jobs/j-1/mfa"), 4), answered)...)
	b.on("POST /jobs/j-1/mfa", accepted)
	client := b.onLoopback()
	_, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
	var required *basiq.MFARequiredError
	if !errors.As(err, &required) || required.MFA.UserID != "u-1" || required.MFA.JobID != "j-1" || len(required.MFA.Prompts) != 2 {
		t.Fatalf("%#v", err)
	}
	wantText(t, err.Error(), "job j-1", "security-questions", "AnswerMFA")
	if text := allForms(err); strings.Contains(text, "pet") || strings.Contains(text, "u-1") {
		t.Errorf("the question is printed: %s", text)
	}
	data, err := json.Marshal(required.MFA)
	if err != nil {
		t.Fatal(err)
	}

	var question basiq.MFA
	if err := json.Unmarshal(data, &question); err != nil {
		t.Fatal(err)
	}
	elsewhere := b.onLoopback()
	job, err := elsewhere.AnswerMFA(t.Context(), question, []string{"Rex", "Mini"})
	if err != nil {
		t.Fatal(err)
	}
	// The bank is still checking the answer. The question remains in the job, but
	// is not answered again in a third process.
	third, err := client.ResumeJob(job.Token())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := third.Wait(t.Context(), basiq.WaitOptions{Interval: time.Millisecond}); err != nil || r.ConnectionID() != "c-1" {
		t.Errorf("%v, %v", r, err)
	}
	if posts := b.calls("POST /jobs/j-1/mfa"); len(posts) != 1 || posts[0].token != "Bearer "+tokenText+"-CLIENT_ACCESS-u-1" {
		t.Errorf("%+v", posts)
	}
	question.UserID = ""
	_, err = client.AnswerMFA(t.Context(), question, []string{"Rex", "Mini"})
	var failed *basiq.MFAError
	if !errors.As(err, &failed) {
		t.Fatal(err)
	}
	wantText(t, err.Error(), "UserID")
}

// TestMFAUser checks which user answers, in particular if the job does not name
// its user.
func TestMFAUser(t *testing.T) {
	anonymous := strings.NewReplacer(`,"source":"https://basiq.invalid/users/u-1/connections/c-1"`, "", `{"type":"link","url":"/users/u-1/connections/c-1"}`, "null").
		Replace(asking("/jobs/j-1/mfa"))
	for _, c := range []struct {
		body, option, want string
	}{{anonymous, "", ""}, {anonymous, "u-1", "u-1"}, {asking(""), "", "u-1"}, {asking(""), "u-1", "u-1"}} {
		b := newFakeAPI(t)
		b.job("j-1", c.body, answered)
		b.on("POST /jobs/j-1/mfa", accepted)
		_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: pets, UserID: c.option, Interval: 1})
		posts := b.calls("POST /jobs/j-1/mfa")
		if c.want == "" {
			var e *basiq.MFAError
			if !errors.As(err, &e) || len(posts) != 0 {
				t.Fatal(err)
			}
			wantText(t, err.Error(), "WaitOptions.UserID")
			continue
		}
		if err != nil || len(posts) != 1 || posts[0].token != "Bearer "+tokenText+"-CLIENT_ACCESS-"+c.want {
			t.Errorf("%v, %+v", err, posts)
		}
	}
}

// TestMFATwoQuestions checks that a second question of the same job is
// answered, and a repeated one is not.
func TestMFATwoQuestions(t *testing.T) {
	second := strings.Replace(asking("/jobs/j-1/mfa"), "First pet?", "Second pet?", 1)
	later := strings.Replace(asking("/jobs/j-1/mfa"), "120000", "60000", 1)
	checking := steps("j-1", "verify-credentials=success mfa-challenge=in-progress")
	for _, c := range []struct {
		name    string
		bodies  []string
		answers int
		is      error
	}{
		{"another question", []string{asking("/jobs/j-1/mfa"), second, second, answered}, 2, nil},
		{"the same one, with less time left", []string{asking("/jobs/j-1/mfa"), later, later, answered}, 1, nil},
		{"another question, which stays for a while", []string{asking("/jobs/j-1/mfa"), checking, second, second, second, second, answered}, 2, nil},
		{"the same one, in one more poll", []string{asking("/jobs/j-1/mfa"), checking, later, answered}, 1, nil},
		{"the same one, asked again", []string{asking("/jobs/j-1/mfa"), checking, asking("/jobs/j-1/mfa")}, 1, basiq.ErrMFAAskedAgain},
		{"a question that stays", []string{asking("/jobs/j-1/mfa")}, 1, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				b.job("j-1", c.bodies...)
				b.on("POST /jobs/j-1/mfa", accepted)
				_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnMFA: pets})
				if n := len(b.calls("POST /jobs/j-1/mfa")); n != c.answers || c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%v after %d answers", err, n)
				}
			})
		})
	}
}

// TestMFATwoWaits checks that several waits with the same handle call OnMFA
// once.
func TestMFATwoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		var sent atomic.Bool // several goroutines answer
		b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
			if sent.Load() {
				respond(w, answered)
			} else {
				respond(w, asking("/jobs/j-1/mfa"))
			}
		})
		b.mux.HandleFunc("POST /jobs/j-1/mfa", func(w http.ResponseWriter, _ *http.Request) { sent.Store(true); respond(w, accepted) })
		job := b.inMemory().Job("j-1")
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := job.Wait(t.Context(), basiq.WaitOptions{OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
					time.Sleep(time.Minute)
					return pets(ctx, m)
				}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(b.calls("POST /jobs/j-1/mfa")); n != 1 {
			t.Errorf("%d answers", n)
		}
	})
}

// TestMFAExpiry checks that the time left is read as milliseconds, except for
// values that are only plausible in seconds.
func TestMFAExpiry(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"120000": 2 * time.Minute, "10000": 10 * time.Second, "3600": time.Hour, "0": -1, "null": -1, "-5": -1, `"x"`: -1, "1e18": -1,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", strings.Replace(asking(""), "120000", text, 1))
			_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
			var required *basiq.MFARequiredError
			if !errors.As(err, &required) || required.MFA.TimeLeft() != want {
				t.Fatalf("%s: %v", text, err)
			}
			time.Sleep(2 * time.Hour)
			if left := required.MFA.TimeLeft(); left != min(want, 0) {
				t.Errorf("%s: after two hours %s are left", text, left)
			}
		})
	}
}

// TestMFALateAnswers checks that an answer that comes too late counts as
// expired, whether it was correct or not, and is not sent if that is known in
// time. The clock is a fake.
func TestMFALateAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		thinks  time.Duration // time until the user answers
		travels time.Duration // time until the API receives the answer
		reply   string        // response to the answer
		then    string        // the job after the answer
		is      error
		sent    int
	}{
		{"in time", 119 * time.Second, 0, accepted, answered, nil, 1},
		{"in time and wrong, the job says", 119 * time.Second, 0, accepted, steps("j-1", `mfa-challenge=failed={"code":"invalid-credentials"}`), basiq.ErrMFARejected, 1},
		{"in time and wrong, the API says", 119 * time.Second, 0, "400 parameter-not-valid", answered, basiq.ErrMFARejected, 1},
		{"late before it is sent", 120 * time.Second, 0, accepted, answered, basiq.ErrMFAExpired, 0},
		{"late on the way, the job says", 119 * time.Second, 2 * time.Second, accepted, steps("j-1", `mfa-challenge=failed={"code":"invalid-credentials"}`), basiq.ErrMFAExpired, 1},
		{"late on the way, the API says", 119 * time.Second, 2 * time.Second, "400 parameter-not-valid", answered, basiq.ErrMFAExpired, 1},
		{"late on the way, and taken", 119 * time.Second, 2 * time.Second, accepted, answered, nil, 1},
	} {
		for _, elsewhere := range []bool{false, true} { // answered with OnMFA, or with AnswerMFA after the question was stored
			t.Run(fmt.Sprint(c.name, " ", elsewhere), func(t *testing.T) {
				var now atomic.Int64
				pass := func(d time.Duration) { now.Add(int64(d)) }
				pass(time.Duration(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixNano()))
				b := newFakeAPI(t)
				b.job("j-1", asking("/jobs/j-1/mfa"), c.then)
				b.mux.HandleFunc("POST /jobs/j-1/mfa", func(w http.ResponseWriter, _ *http.Request) { pass(c.travels); respond(w, c.reply) })
				client := b.inMemory(basiq.WithClock(func() time.Time { return time.Unix(0, now.Load()) }))
				o := basiq.WaitOptions{Interval: time.Millisecond, OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
					if m.TimeLeft() != 2*time.Minute {
						t.Errorf("%s are left", m.TimeLeft())
					}
					pass(c.thinks)
					return pets(ctx, m)
				}}
				if elsewhere {
					o.OnMFA = nil
				}
				_, err := client.WaitForJob(t.Context(), "j-1", o)
				if elsewhere {
					var required *basiq.MFARequiredError
					if !errors.As(err, &required) {
						t.Fatal(err)
					}
					text, err2 := json.Marshal(required.MFA)
					var question basiq.MFA
					if err2 != nil || json.Unmarshal(text, &question) != nil {
						t.Fatal(err2)
					}
					pass(c.thinks)
					var job *basiq.Job
					if job, err = client.AnswerMFA(t.Context(), question, []string{"Rex", "Mini"}); err == nil {
						_, err = job.Wait(t.Context(), o)
					}
				}
				if c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%v", err)
				}
				if other := map[error]error{basiq.ErrMFAExpired: basiq.ErrMFARejected, basiq.ErrMFARejected: basiq.ErrMFAExpired}[c.is]; other != nil && errors.Is(err, other) {
					t.Errorf("it is also %v: %v", other, err)
				}
				if n := len(b.calls("POST /jobs/j-1/mfa")); n != c.sent {
					t.Errorf("sent %d times, want %d", n, c.sent)
				}
			})
		}
	}
}
