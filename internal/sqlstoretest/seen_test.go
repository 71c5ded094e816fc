package sqlstoretest

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/sqlstore"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// claim claims a message and checks the progress.
func claim(t *testing.T, s *sqlstore.SeenStore, want webhook.Progress) string {
	t.Helper()
	token, got, err := s.Claim(context.Background(), "message")
	if err != nil || got != want || (token != "") != (want == webhook.Fresh) {
		t.Fatalf("progress %d, token %q, %v; want progress %d", got, token, err, want)
	}
	return token
}

// TestOneClaimWins: of 100 concurrent deliveries to ten processes, one gets the claim.
func TestOneClaimWins(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		var stores []*sqlstore.SeenStore
		for range 10 {
			store, _ := d.store(t)
			stores = append(stores, seen(t, store))
		}
		var count [3]atomic.Int64
		herd(100, func(i int) {
			_, progress, err := stores[i%10].Claim(t.Context(), "message")
			if err != nil {
				t.Error(err)
			}
			count[progress].Add(1)
		})
		if count[webhook.Fresh].Load() != 1 || count[webhook.Busy].Load() != 99 {
			t.Errorf("%d claims are fresh, %d busy, want 1 and 99", count[webhook.Fresh].Load(), count[webhook.Busy].Load())
		}
	})
}

// TestClaimsExpire: after a claim has expired, its former owner can neither complete
// nor release it.
func TestClaimsExpire(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, at := t.Context(), newClock()
		store, _ := d.store(t, at.option())
		s := seen(t, store, sqlstore.WithClaimTTL(time.Minute), sqlstore.WithRetention(30*time.Hour))
		refused := func(token string) {
			t.Helper()
			for _, handled := range []bool{true, false} {
				if err := s.EndClaim(ctx, "message", token, handled); !errors.Is(err, webhook.ErrClaimLost) {
					t.Errorf("handled=%t: %v, want ErrClaimLost", handled, err)
				}
			}
		}
		first := claim(t, s, webhook.Fresh)
		at.advance(time.Minute - time.Millisecond)
		claim(t, s, webhook.Busy)
		at.advance(time.Millisecond)
		refused(first) // although nobody else has claimed it yet
		second := claim(t, s, webhook.Fresh)
		refused(first)
		claim(t, s, webhook.Busy)
		if err := s.EndClaim(ctx, "message", second, false); err != nil {
			t.Fatal(err)
		}
		refused(second)
		third := claim(t, s, webhook.Fresh)
		if err := s.EndClaim(ctx, "message", third, true); err != nil {
			t.Fatal(err)
		}
		refused(third)
		at.advance(30*time.Hour - time.Millisecond)
		claim(t, s, webhook.Done)
		at.advance(time.Millisecond)
		claim(t, s, webhook.Fresh)
	})
}

// TestLongestTimesDoNotOverflow: claims, retention and tokens can last for as long as a
// time.Duration can say.
func TestLongestTimesDoNotOverflow(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		store, _ := d.store(t)
		s := seen(t, store, sqlstore.WithClaimTTL(math.MaxInt64), sqlstore.WithRetention(math.MaxInt64))
		token := claim(t, s, webhook.Fresh)
		claim(t, s, webhook.Busy)
		if err := s.EndClaim(t.Context(), "message", token, true); err != nil {
			t.Fatal(err)
		}
		claim(t, s, webhook.Done)
	})
}

// TestBeginAndEnd: the methods of a plain SeenStore distinguish processes.
func TestBeginAndEnd(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, at := t.Context(), newClock()
		store, _ := d.store(t, at.option())
		one, two := seen(t, store), seen(t, store)
		begin := func(s *sqlstore.SeenStore, want webhook.Progress) {
			t.Helper()
			if p, err := s.Begin(ctx, "message"); p != want || err != nil {
				t.Fatalf("%d, %v, want %d", p, err, want)
			}
		}
		begin(one, webhook.Fresh)
		begin(two, webhook.Busy)
		at.advance(sqlstore.DefaultClaimTTL)
		begin(two, webhook.Fresh)
		if err := one.End(ctx, "message", true); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("the former owner: %v", err)
		}
		if err := two.End(ctx, "message", true); err != nil {
			t.Error(err)
		}
		begin(one, webhook.Done)
	})
}

// TestClaimOutlivesItsProcess kills a process that holds a claim. The message is busy
// until the claim has expired.
func TestClaimOutlivesItsProcess(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		at := &clock{}
		store, _ := d.store(t, at.option())
		cmd := exec.Command(os.Args[0], "-test.run=^TestClaimingProcess$")
		cmd.Env = append(os.Environ(), "CLAIM_DRIVER="+d.driver, "CLAIM_DSN="+d.dsn, fmt.Sprintf("CLAIM_DIALECT=%d", d.dialect))
		out := must[interface{ Read([]byte) (int, error) }](t)(cmd.StdoutPipe())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || line != "claimed\n" {
			t.Errorf("the process printed %q, %v", line, err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		at.ms.Store(time.Now().UnixMilli())
		claim(t, seen(t, store), webhook.Busy)
		at.advance(2 * sqlstore.DefaultClaimTTL)
		claim(t, seen(t, store), webhook.Fresh)
	})
}

// TestClaimingProcess is the process that TestClaimOutlivesItsProcess kills.
func TestClaimingProcess(t *testing.T) {
	if os.Getenv("CLAIM_DSN") == "" {
		t.Skip("run by TestClaimOutlivesItsProcess")
	}
	d := database{driver: os.Getenv("CLAIM_DRIVER"), dsn: os.Getenv("CLAIM_DSN"), dialect: sqlstore.SQLite}
	if os.Getenv("CLAIM_DIALECT") == fmt.Sprint(int(sqlstore.PostgreSQL)) {
		d.dialect = sqlstore.PostgreSQL
	}
	store, _ := d.store(t)
	claim(t, seen(t, store), webhook.Fresh)
	fmt.Println("claimed")
	select {}
}

// TestReceiversHandleAMessageOnce: ten receivers that share a database get 100
// deliveries of each of five messages at once.
func TestReceiversHandleAMessageOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		key := base64.StdEncoding.EncodeToString(secret(3))
		signer := must[*webhook.Signer](t)(webhook.NewSigner(key))
		var handled atomic.Int64
		var receivers []http.Handler
		for range 10 {
			store, _ := d.store(t)
			verifier := must[*webhook.Verifier](t)(webhook.NewVerifier(key))
			receivers = append(receivers, webhook.NewHandler(verifier, func(context.Context, *webhook.Event) error {
				handled.Add(1)
				return nil
			}, webhook.WithSeenStore(seen(t, store))))
		}
		const body = `{"eventTypeId":"user.created","eventId":"e-1","links":{"eventEntity":"https://au-api.basiq.io/users/u-1"}}`
		var status [600]atomic.Int64
		herd(500, func(i int) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			for name, value := range signer.Headers(fmt.Sprint("message-", i%5), time.Now(), []byte(body)) {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			receivers[i%10].ServeHTTP(w, r)
			status[w.Code].Add(1)
		})
		if handled.Load() != 5 {
			t.Errorf("%d messages were handled, want 5", handled.Load())
		}
		if status[204].Load()+status[409].Load() != 500 {
			t.Errorf("%d deliveries got 204 and %d got 409, want 500 together", status[204].Load(), status[409].Load())
		}
	})
}
