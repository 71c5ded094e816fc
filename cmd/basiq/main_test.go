package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/webhook"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"basiq": main})
}

// TestScripts runs the scripts in testdata/script, each against a fake server
// of its own. Their commands beside basiq are:
//
//	user VAR                creates a user, and sets VAR to its ID
//	connect VAR USER LOGIN  connects a login, and sets VAR to the connection's ID
//	login VAR USER LOGIN    starts to connect a login, and sets VAR to the job's ID
//	fail OPERATION STATUS AFTER TIMES   makes requests fail
//	calls OPERATION N       checks how many requests there were
//	keep VAR MEMBER         sets VAR to a member of the JSON on stdout
//	exit CODE COMMAND...    runs a command that must end with this exit code
//	account VAR             sets VAR to the first ID of a list on stdout
//	message FILE            writes a signed webhook message, and sets SECRET, ID, TIMESTAMP and SIGNATURE
//	resume                  runs the command that stderr says goes on
//	disjoint FILE FILE      checks that no line is in both files
//	hostile CONNECTION      adds transactions that others have described
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			srv, err := basiqtest.Start(basiqtest.WithSeed(7))
			if err != nil {
				return err
			}
			env.Defer(srv.Close)
			env.Values["server"] = srv
			env.Setenv("BASIQ_API_KEY", srv.APIKey())
			env.Setenv("BASIQ_BASE_URL", srv.URL)
			env.Setenv("KEY", srv.APIKey())
			env.Setenv("TODAY", srv.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly))
			return errors.Join(os.WriteFile(filepath.Join(env.WorkDir, "key"), []byte(srv.APIKey()+"\n"), 0o644),
				os.WriteFile(filepath.Join(env.WorkDir, "typed"), []byte(srv.APIKey()+"\nBasiq\nAU00000\n"), 0o600))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"user": func(ts *testscript.TestScript, _ bool, args []string) {
				id, err := server(ts).AddUser("max@example.com")
				ts.Check(err)
				ts.Setenv(args[0], id)
			},
			"connect": func(ts *testscript.TestScript, _ bool, args []string) {
				id, err := server(ts).AddConnection(args[1], logins[args[2]])
				ts.Check(err)
				ts.Setenv(args[0], id)
			},
			"revoke": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(server(ts).RevokeConsent(args[0])) },
			"login": func(ts *testscript.TestScript, _ bool, args []string) {
				jobs, err := server(ts).Connect(args[1], logins[args[2]])
				ts.Check(err)
				ts.Setenv(args[0], jobs[0])
			},
			"fail": func(ts *testscript.TestScript, _ bool, args []string) {
				server(ts).Fail(basiqtest.Fault{Operation: args[0], Status: number(ts, args[1]), After: number(ts, args[2]), Times: number(ts, args[3])})
			},
			"calls": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := server(ts).Calls(args[0]); got != number(ts, args[1]) {
					ts.Fatalf("%d calls of %s, want %s", got, args[0], args[1])
				}
			},
			"keep":     keep,
			"exit":     exit,
			"account":  account,
			"message":  message,
			"resume":   resume,
			"disjoint": disjoint,
			"hostile": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, text := range []string{"\x1b[31mred\u202egnp", "=HYPERLINK(1)"} {
					_, err := server(ts).AddTransaction(args[0], basiqtest.Transaction{Description: text, Amount: "-3.50"})
					ts.Check(err)
				}
			},
		},
	})
}

var logins = map[string]basiqtest.Login{
	"WentworthSmith": basiqtest.WentworthSmith,
	"Jared":          basiqtest.Jared,
	"PiedPiper":      basiqtest.WentworthSmith.At(basiqtest.PiedPiper),
	"Bighead":        basiqtest.Bighead,
}

func server(ts *testscript.TestScript) *basiqtest.Server {
	return ts.Value("server").(*basiqtest.Server)
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// keep sets a variable to a member of the JSON object on stdout.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for name := range strings.SplitSeq(args[1], ".") {
		m, ok := v.(map[string]any)
		if !ok {
			ts.Fatalf("%s is not an object", name)
		}
		v = m[name]
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// exit runs a command and checks its exit code.
func exit(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != number(ts, args[0]) {
		ts.Fatalf("%v, want exit code %s", err, args[0])
	}
}

// resume runs the last command line that stderr shows.
func resume(ts *testscript.TestScript, _ bool, _ []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stderr")), "\n")
	ts.Check(ts.Exec("sh", "-c", lines[len(lines)-1]))
}

func disjoint(ts *testscript.TestScript, _ bool, args []string) {
	other := strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if slices.Contains(other, strings.TrimSpace(line)) {
			ts.Fatalf("%q is in both", line)
		}
	}
}

func account(ts *testscript.TestScript, _ bool, args []string) {
	var list struct{ Data []struct{ ID string } }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &list))
	ts.Setenv(args[0], list.Data[0].ID)
}

func message(ts *testscript.TestScript, _ bool, args []string) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of a test, not of a bank"))
	signer, err := webhook.NewSigner(secret)
	ts.Check(err)
	body := []byte(`{"eventTypeId": "user.created", "links": {}}`)
	headers := signer.Headers("m1", time.Now(), body)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
	ts.Setenv("SECRET", secret)
	for name, value := range headers {
		ts.Setenv(strings.ToUpper(strings.TrimPrefix(strings.ToLower(name), "webhook-")), value)
	}
}
