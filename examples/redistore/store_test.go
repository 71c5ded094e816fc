package redistore_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/examples/redistore"
	"github.com/basiq-sdk/basiq-go/transport"
)

var _ transport.TokenStore = (*redistore.Store)(nil)

// database starts a redis-server for the test, and returns its socket.
func database(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("real part missing: redis-server. Install it to run this test.")
	}
	dir, err := os.MkdirTemp("", "redis") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	db := connect(t, socket)
	for range 200 {
		if err = db.Ping(t.Context()).Err(); err == nil {
			return socket
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal(err)
	return ""
}

func connect(t testing.TB, socket string) *redis.Client {
	db := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func key(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func store(t testing.TB, socket string, keys ...[]byte) *redistore.Store {
	t.Helper()
	s, err := redistore.New(connect(t, socket), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	socket := database(t)
	ctx := t.Context()
	s := store(t, socket, key(1))
	if v, err := s.Load(ctx, "k"); v != nil || err != nil {
		t.Errorf("missing value: %q, %v", v, err)
	}
	if err := s.Save(ctx, "k", []byte("canary"), time.Hour); err != nil {
		t.Fatal(err)
	}
	raw, err := connect(t, socket).Get(ctx, "k").Bytes()
	if err != nil || bytes.Contains(raw, []byte("canary")) {
		t.Errorf("the database contains %q, %v", raw, err)
	}
	for _, c := range []struct {
		name string
		keys [][]byte
		key  string
		want string
	}{{"the key", [][]byte{key(1)}, "k", "canary"}, {"after a key rotation", [][]byte{key(2), key(1)}, "k", "canary"}, {"another key", [][]byte{key(2)}, "k", ""}} {
		if v, err := store(t, socket, c.keys...).Load(ctx, c.key); string(v) != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.name, v, err)
		}
	}
	// A value that was copied to another name is not valid there.
	if err := connect(t, socket).Set(ctx, "other", raw, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Load(ctx, "other"); v != nil {
		t.Errorf("under another name it is %q", v)
	}

	unlock, err := s.Lock(ctx, "k", time.Minute)
	if unlock == nil || err != nil {
		t.Fatal(err)
	}
	if again, err := store(t, socket, key(1)).Lock(ctx, "k", time.Minute); again != nil || err != nil {
		t.Errorf("the lock was acquired twice: %v", err)
	}
	unlock()
	short, err := s.Lock(ctx, "k", 50*time.Millisecond)
	if short == nil || err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	next, err := s.Lock(ctx, "k", time.Minute)
	if next == nil || err != nil {
		t.Fatalf("the lock has not expired: %v", err)
	}
	short() // must not release the lock of another owner
	if third, _ := s.Lock(ctx, "k", time.Minute); third != nil {
		t.Error("a lock was released by a former owner")
	}
	next()
	if text := fmt.Sprintf("%v %+v %#v %v", s, s, s, *s); strings.Contains(text, "1, 1, 1") || strings.Contains(text, "1 1 1") {
		t.Error("the key is printed")
	}
}

func TestNewErrors(t *testing.T) {
	db := redis.NewClient(&redis.Options{})
	defer db.Close()
	for name, f := range map[string]func() (*redistore.Store, error){
		"no database": func() (*redistore.Store, error) { return redistore.New(nil, key(1)) },
		"no key":      func() (*redistore.Store, error) { return redistore.New(db) },
		"short key":   func() (*redistore.Store, error) { return redistore.New(db, key(1)[:5]) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFleet starts 300 clients that share nothing but Redis, and three processes
// with 50 clients each. Together they request one token, and one more after it has
// expired.
func TestFleet(t *testing.T) {
	socket := database(t)
	srv := basiqtest.NewServer(t)
	if _, err := srv.AddUser("max@example.com"); err != nil {
		t.Fatal(err)
	}
	round := func(clients []*basiq.Client) {
		t.Helper()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				cmd := exec.Command(os.Args[0], "-test.run=^TestProcess$")
				cmd.Env = append(os.Environ(), "FLEET_SOCKET="+socket, "BASIQ_BASE_URL="+srv.URL, "BASIQ_API_KEY="+srv.APIKey())
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		call(t, clients)
		wg.Wait()
	}
	clients := fleet(t, socket, 300, srv.Options()...)
	round(clients)
	if n := srv.Calls("core.Auth.CreateToken"); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	srv.ExpireTokens()
	round(clients)
	if n := srv.Calls("core.Auth.CreateToken"); n != 2 {
		t.Errorf("%d token requests after the token expired, want 2", n)
	}
}

func fleet(t testing.TB, socket string, n int, opts ...basiq.Option) []*basiq.Client {
	t.Helper()
	s := store(t, socket, key(1))
	clients := make([]*basiq.Client, n)
	for i := range clients {
		c, err := basiq.NewClient(append(opts, basiq.WithTokenStore(s))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Transport.Close() })
		clients[i] = c
	}
	return clients
}

func call(t testing.TB, clients []*basiq.Client) {
	t.Helper()
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			if _, err := c.Core.Events.ListTypes(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestProcess is one process of the fleet.
func TestProcess(t *testing.T) {
	socket := os.Getenv("FLEET_SOCKET")
	if socket == "" {
		t.Skip("run by TestFleet")
	}
	call(t, fleet(t, socket, 50))
}

// TestWithoutRedis checks that calls succeed if Redis is unavailable or does not
// respond.
func TestWithoutRedis(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "silent")) // accepts connections, but never responds
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, socket := range map[string]string{"away": filepath.Join(t.TempDir(), "away"), "silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := basiqtest.NewServer(t)
			clients := fleet(t, socket, 2, srv.Options()...)
			begin := time.Now()
			call(t, clients)
			if d := time.Since(begin); d > 7*time.Second {
				t.Errorf("took %s, but the timeout of each of two operations is two seconds", d)
			}
			if n := srv.Calls("core.Auth.CreateToken"); n != 2 {
				t.Errorf("%d token requests, want one for each client", n)
			}
		})
	}
}
