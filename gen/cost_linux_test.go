package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const costCase = "GEN_TEST_COST_CASE"

// costly are specifications that are large in different ways, with the error that each
// causes, or "" for none.
var costly = map[string]struct {
	doc     func() string
	message string
}{
	"100,000 properties": {func() string {
		return things + "    A:\n      type: object\n      properties:\n" + repeat(100_000, func(i int) string { return fmt.Sprintf("        p%d: {type: string}\n", i) })
	}, "the limit is 100000 [too-many-nodes]"},
	"20,000 properties": {func() string {
		return things + "    A:\n      type: object\n      properties:\n" + repeat(20_000, func(i int) string { return fmt.Sprintf("        p%d: {type: string}\n", i) })
	}, "the limit is 2000 [too-many-members]"},
	"2,000 properties": {func() string {
		return things + "    A:\n      type: object\n      properties:\n" + repeat(2_000, func(i int) string { return fmt.Sprintf("        p%d: {type: string}\n", i) })
	}, ""},
	"a chain of 9,000 objects": {func() string {
		return things + "    A: {$ref: '#/components/schemas/A0'}\n" +
			repeat(9_000, func(i int) string {
				return fmt.Sprintf("    A%d: {type: object, properties: {n: {$ref: '#/components/schemas/A%d'}}}\n", i, i+1)
			}) + "    A9000: {type: string}\n"
	}, "[too-many-targets]"},
	"a chain of 1,900 objects": {func() string {
		return things + "    A: {$ref: '#/components/schemas/A0'}\n" +
			repeat(1_900, func(i int) string {
				return fmt.Sprintf("    A%d: {type: object, properties: {n: {$ref: '#/components/schemas/A%d'}}}\n", i, i+1)
			}) + "    A1900: {type: string}\n"
	}, ""},
	"4,900 types": {func() string {
		return things + "    A:\n      type: object\n      properties:\n" + repeat(1_600, func(i int) string { return fmt.Sprintf("        p%d: {$ref: '#/components/schemas/B%d'}\n", i, i) }) +
			repeat(1_600, func(i int) string {
				return fmt.Sprintf("    B%d: {type: object, properties: {c: {$ref: '#/components/schemas/C%d'}, d: {$ref: '#/components/schemas/D%d'}}}\n", i, i, i)
			}) +
			repeat(1_600, func(i int) string {
				return fmt.Sprintf("    C%d: {type: object, properties: {v: {type: string}}}\n    D%d: {type: string, enum: [a]}\n", i, i)
			})
	}, ""},
	"100,000 long strings by alias": {func() string {
		return "openapi: 3.0.3\ninfo: {title: t, version: '1', description: &d '" + strings.Repeat("word ", 20_000) + "'}\nx: [" + strings.Repeat("*d, ", 100_000) + "]\n"
	}, "[too-large]"},
	"a billion strings by nested aliases": {func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: t, version: '1'}\nx-a: &a [" + strings.Repeat("x, ", 10) + "]\n")
		for c := 'b'; c <= 'i'; c++ {
			fmt.Fprintf(&b, "x-%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10))
		}
		return b.String()
	}, "[too-many-nodes]"},
	"patterns with many repetitions": {func() string {
		return things + "    A:\n      type: object\n      properties:\n" + repeat(200, func(i int) string {
			return fmt.Sprintf("        p%d: {type: string, pattern: '%s%d'}\n", i, strings.Repeat("x{1000}", 3000), i)
		})
	}, ""},
	"15 MB of separators": {func() string { return "openapi: 3.0.3\nx: [" + strings.Repeat(",", 15<<20) + "]\n" }, "[too-many-nodes]"},
	"a string of 20 MB":   {func() string { return "openapi: 3.0.3\nx-a: " + strings.Repeat("x", 20<<20-100) + "\n" }, ""},
}

func repeat(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

// TestCostChild runs a case of TestTimeAndMemoryAreLimited in a separate process.
func TestCostChild(t *testing.T) {
	c, ok := costly[os.Getenv(costCase)]
	if !ok {
		t.Skip("TestTimeAndMemoryAreLimited runs it")
	}
	_, err := compile(c.doc())
	if c.message == "" && err != nil || c.message != "" && (err == nil || !strings.Contains(err.Error(), c.message)) {
		t.Errorf("got %.300v, want …%s", err, c.message)
	}
}

// TestTimeAndMemoryAreLimited limits the processor time and memory that a specification can make the
// generator use.
func TestTimeAndMemoryAreLimited(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time and memory")
	}
	const maxTime, maxMemory = 10 * time.Second, 512 << 20 // processor time; the slowest takes about four seconds
	for name := range costly {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCostChild$")
			cmd.Env = append(os.Environ(), costCase+"="+name)
			measure(t, cmd, maxTime, maxMemory)
		})
	}
}

func measure(t *testing.T, cmd *exec.Cmd, maxTime time.Duration, maxMemory int64) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if cmd.Args[0] == os.Args[0] && !cmd.ProcessState.Success() {
		t.Errorf("%v\n%.2000s", err, out)
	}
	memory := int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10 // int32 on 32-bit machines
	took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("%.1f s of processor, %d MB", took.Seconds(), memory>>20)
	if took > maxTime || memory > maxMemory {
		t.Errorf("took %v and %d MB; the limits are %v and %d MB", took, memory>>20, maxTime, maxMemory>>20)
	}
	return string(out)
}

// TestHugeFileIsReadUpToTheLimit pulls a document of 100 MB, of which only the allowed size is read.
func TestHugeFileIsReadUpToTheLimit(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"specs/sources.yaml": "version: 1\nmodule: example.com/api\nruntime: " + runtimePath + "\nsource: {path: huge.yml}\ndomains:\n  api: {file: huge.yml}\n",
		"huge.yml":           "openapi: 3.0.3\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "huge.yml"), 100<<20); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	start := time.Now()
	code := run(t.Context(), []string{"update", "--dir", dir}, &stdout, &stderr)
	if want := "huge.yml: the document has more than 20971520 bytes [too-large]"; code == 0 || !strings.Contains(stderr.String(), want) {
		t.Errorf("exit %d, %s\nwant %s", code, stderr.String(), want)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}
