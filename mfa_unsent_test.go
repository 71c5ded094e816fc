package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// askingBench is a bench whose job j-1 asks a question until it is answered.
// clientToken answers POST /token for the user's token.
func askingBench(t *testing.T, clientToken func(http.ResponseWriter)) (b *bench, sent *atomic.Int32) {
	b, sent = &bench{t: t, mux: http.NewServeMux()}, new(atomic.Int32)
	b.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("scope") == "CLIENT_ACCESS" && clientToken != nil {
			clientToken(w)
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s-%s","token_type":"Bearer","expires_in":3600}`, tokenText, r.FormValue("scope"))
	})
	b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
		if sent.Load() > 0 {
			_, _ = io.WriteString(w, answered)
			return
		}
		_, _ = io.WriteString(w, asking("/jobs/j-1/mfa"))
	})
	b.mux.HandleFunc("POST /jobs/j-1/mfa", func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		_, _ = io.WriteString(w, accepted)
	})
	return b, sent
}

// TestMFAQuestionIsKeptWhenNoTokenIsIssued: an answer for which there was no token
// was not sent, whatever POST /token answers. The next wait asks again.
func TestMFAQuestionIsKeptWhenNoTokenIsIssued(t *testing.T) {
	for _, response := range []string{"500", "503", "400", "409", "410", "", "null", "no JSON", "{}"} {
		synctest.Test(t, func(t *testing.T) {
			bad := true
			b, sent := askingBench(t, func(w http.ResponseWriter) {
				if bad {
					answer(w, response)
					return
				}
				_, _ = io.WriteString(w, `{"access_token":"`+tokenText+`-u-1","token_type":"Bearer","expires_in":3600}`)
			})
			questions := 0
			o := basiq.WaitOptions{UserID: "u-1", OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
				questions++
				return pets(ctx, m)
			}}
			client := b.inMemory(transport.WithoutRetry())
			job := client.Job("j-1")
			_, err := job.Wait(t.Context(), o)
			if !errors.As(err, new(*transport.TokenError)) || sent.Load() != 0 || errors.Is(err, basiq.ErrMFARejected) {
				t.Errorf("%s: sent %d times, %v", response, sent.Load(), err)
			}
			_, err = client.AnswerMFA(t.Context(), basiq.MFA{JobID: "j-1", UserID: "u-1"}, []string{"Rex"})
			if !errors.As(err, new(*transport.TokenError)) || sent.Load() != 0 {
				t.Errorf("%s: AnswerMFA sent %d times, %v", response, sent.Load(), err)
			}
			bad = false
			resumed, err := b.inMemory().ResumeJob(job.Token())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := resumed.Wait(t.Context(), o); err != nil || questions != 2 || sent.Load() != 1 {
				t.Errorf("%s: asked %d times, sent %d times, %v", response, questions, sent.Load(), err)
			}
		})
	}
}

// TestMFAAnswerWithLargeResponseIsUsedUp: what the API says to an answer that it
// took does not matter, and the question is not asked twice.
func TestMFAAnswerWithLargeResponseIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.job("j-1", asking(""), asking(""), answered)
		b.on("POST /jobs/j-1/mfa", `{"id":"`+strings.Repeat("x", 8<<10)+`"}`)
		if _, err := b.inMemory(transport.WithMaxResponseSize(4<<10)).WaitForJob(t.Context(), "j-1", basiq.WaitOptions{UserID: "u-1", OnMFA: pets}); err != nil {
			t.Error(err)
		}
		if n := len(b.calls("POST /jobs/j-1/mfa")); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}
