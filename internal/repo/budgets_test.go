package repo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

const budgetsFile = "testdata/budgets.json"

// budgets are limits for the cost of the SDK. They are changed only in a commit
// of their own, so that nobody raises one in passing.
type budgets struct {
	// AllocationsPer500Rows limits the allocations of decoding a page of 500
	// transactions.
	AllocationsPer500Rows int `json:"allocationsPer500Rows"`
	// AllocationsPerCallRatio limits the allocations of a small call, relative
	// to the same call with net/http and encoding/json. Both include the
	// allocations of net/http and the server.
	AllocationsPerCallRatio float64 `json:"allocationsPerCallRatio"`
	// BinaryGrowth limits the size of a program that makes one call, minus the
	// size of the same program with net/http and encoding/json, in bytes.
	BinaryGrowth int64 `json:"binaryGrowth"`
	// MachineCode limits the bytes that the compiler makes of a package for amd64,
	// because the time to compile a program with the SDK grows with them.
	MachineCode map[string]int `json:"machineCode"`
	// GeneratedLines limits the lines of generated code without codecs, and
	// CodecLines those of the codecs.
	GeneratedLines int `json:"generatedLines"`
	CodecLines     int `json:"codecLines"`
}

func readBudgets(t *testing.T) budgets {
	t.Helper()
	text, err := os.ReadFile(budgetsFile)
	if err != nil {
		t.Fatal(err)
	}
	var b budgets
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		t.Fatalf("%s: %v", budgetsFile, err)
	}
	return b
}

func within[N int | int64 | float64](t *testing.T, what string, got, most N) {
	t.Helper()
	t.Logf("%s: %v of %v", what, got, most)
	if got > most {
		t.Errorf("%s: %v exceeds the budget of %v (%s)", what, got, most, budgetsFile)
	}
}

func TestBudgetOfDecoding(t *testing.T) {
	root()
	page := string(basiqtest.TransactionsPage(1, 500))
	allocs := testing.AllocsPerRun(20, func() {
		var p data.TransactionPage
		if err := wire.DecodeString(page, &p, nil); err != nil || len(p.Data) != 500 {
			t.Fatal(len(p.Data), err)
		}
	})
	within(t, "allocations of decoding 500 rows", int(allocs), readBudgets(t).AllocationsPer500Rows)
}

func TestBudgetOfCalls(t *testing.T) {
	root()
	answer := basiqtest.TransactionsPage(1, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	c, err := transport.New(transport.WithBaseURL(server.URL), transport.WithTokenSource(transport.StaticToken("token")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client := data.New(c)
	h := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer h.CloseIdleConnections()
	ours := testing.AllocsPerRun(200, func() {
		if _, err := client.Transactions.List(t.Context(), "a-user", data.ListTransactionsParams{}); err != nil {
			t.Fatal(err)
		}
	})
	plain := testing.AllocsPerRun(200, func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/users/a-user/transactions", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer token")
		res, err := h.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var out struct {
			Data []struct {
				ID, Amount, Description, PostDate string
				Links                             struct{ Self string }
			}
		}
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil || len(out.Data) != 1 {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
	})
	within(t, "allocations of a call, for each of a plain one", ours/plain, readBudgets(t).AllocationsPerCallRatio)
}

func TestBudgetOfGeneratedCode(t *testing.T) {
	root()
	files, err := filepath.Glob("generated/*/*.gen.go")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	lines, codecs := 0, 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); strings.HasSuffix(f, "_json.gen.go") {
			codecs += n
		} else {
			lines += n
		}
	}
	b := readBudgets(t)
	within(t, "lines of generated code", lines, b.GeneratedLines)
	within(t, "lines of codecs", codecs, b.CodecLines)
}

// plainProgram and ourProgram are minimal programs that make one call.
const plainProgram = `package main

import (
	"encoding/json"
	"net/http"
	"os"
)

func main() {
	res, err := http.Get("http://localhost/users/a-user")
	if err != nil {
		panic(err)
	}
	var user struct{ Email string }
	if err := json.NewDecoder(res.Body).Decode(&user); err != nil {
		panic(err)
	}
	os.Stdout.WriteString(user.Email)
}
`

const ourProgram = `package main

import (
	"context"
	"os"

	"github.com/basiq-sdk/basiq-go"
)

func main() {
	if len(os.Args) < 2 {
		return
	}
	client, err := basiq.NewClient()
	if err != nil {
		panic(err)
	}
	user, err := client.Core.Users.Get(context.Background(), os.Args[1])
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(user.Email)
}
`

// TestBudgetOfBinary compares the size of a program with and without the SDK,
// and checks that importing the SDK does no work before main.
func TestBudgetOfBinary(t *testing.T) {
	root()
	build := func(name, text string) string {
		dir := t.TempDir()
		source, out := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command("go", "build", "-o", out, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return out
	}
	size := func(file string) int64 {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	ours := build("ours", ourProgram)
	within(t, "binary growth in bytes", size(ours)-size(build("plain", plainProgram)), readBudgets(t).BinaryGrowth)

	cmd := exec.Command(ours)
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	trace, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(trace), "init runtime ") {
		t.Fatalf("%v\n%s", err, trace)
	}
	for line := range strings.Lines(string(trace)) {
		if strings.HasPrefix(line, "init "+module) && !strings.HasSuffix(strings.TrimSpace(line), " 0 bytes, 0 allocs") {
			t.Errorf("work before main: %s", line)
		}
	}
}

// TestBudgetOfMachineCode compares how much code the compiler makes of the packages that
// every program with the SDK compiles. It includes what is inlined, and the functions of
// other packages that are instantiated for a package.
func TestBudgetOfMachineCode(t *testing.T) {
	root()
	if runtime.GOARCH != "amd64" || !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the budgets are for the compiler of Go 1.26 on amd64")
	}
	for name, most := range readBudgets(t).MachineCode {
		file, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", "./"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := exec.Command("go", "tool", "nm", "-size", strings.TrimSpace(string(file))).Output()
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for line := range strings.Lines(string(symbols)) {
			field := strings.Fields(line) // address, size, type, name
			if len(field) < 4 || field[2] != "T" && field[2] != "t" {
				continue
			}
			size, err := strconv.Atoi(field[1])
			if err != nil {
				t.Fatalf("%s: %q", name, line)
			}
			sum += size
			// A method of an exported type that mentions these makes every package compile
			// their methods, e.g. by a parameter that is a *json.Decoder.
			if name == "generated/core" && strings.Contains(line, "reflect.") {
				t.Errorf("%s contains code of package reflect: %s", name, line)
			}
		}
		if sum == 0 {
			t.Fatalf("%s: no code found", name)
		}
		within(t, "bytes of machine code of "+name, sum, most)
	}
}

// TestBudgetsStandAlone checks that the last commit that changed the budgets
// changed nothing else.
func TestBudgetsStandAlone(t *testing.T) {
	root()
	out, err := exec.Command("git", "log", "-1", "--format=%H", "--", budgetsFile).Output()
	commit := strings.TrimSpace(string(out))
	if err != nil || commit == "" {
		t.Skip("not a checkout with history")
	}
	if shallow, err := exec.Command("git", "rev-parse", "--is-shallow-repository").Output(); err != nil || strings.TrimSpace(string(shallow)) == "true" {
		t.Skip("the history is shallow")
	}
	out, err = exec.Command("git", "show", "--name-only", "--format=", commit).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != budgetsFile {
		t.Errorf("commit %.12s changes more than the budgets:\n%s", commit, got)
	}
}
