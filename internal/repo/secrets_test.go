package repo_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretShapes are patterns of credentials. A test that needs such a value
// builds it at run time, so that no file contains one.
var secretShapes = []struct {
	name string
	re   *regexp.Regexp
	more func(match string) bool // an additional condition, or nil
}{
	{"private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`), nil},
	{"JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`), nil},
	{"authorization header", regexp.MustCompile(`(?i:\b(?:basic|bearer)) +[A-Za-z0-9+/=_.-]{16,}`), looksRandom},
	{"webhook secret", regexp.MustCompile(`whsec_[A-Za-z0-9+/_-]{8,}=*`), nil},
	{"vendor's key", regexp.MustCompile(`\b(?:(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{20,}|glpat-[A-Za-z0-9_-]{12,})`), nil},
	{"key of two identifiers", regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{8}-[0-9a-f]{4}`), nil},
	{"password in an address", regexp.MustCompile(`[a-z]://[^/\s:@"'` + "`" + `<>{}%]+:[^/\s:@"'` + "`" + `<>{}%]{8,}@`), nil},
	{"long hexadecimal", regexp.MustCompile(`\b(?:[0-9a-f]{32,}|[0-9A-F]{32,})\b`), hexadecimal},
	{"long base64", regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}={0,2}`), looksRandom},
	{"value of a secret's name", regexp.MustCompile(`(?i)(?:api_?key|secret|passw(?:or)?d|token)["']?\s*[:=]+\s*["'` + "`" + `][A-Za-z0-9+/=_.-]{16,}["'` + "`" + `]`), looksRandom},
}

// hexadecimal reports whether digits look random, as opposed to a decimal
// number or a repeated digit.
func hexadecimal(s string) bool {
	return distinct(s) >= 8 && strings.ContainsAny(s, "0123456789") && strings.ContainsAny(s, "abcdefABCDEF")
}

// lastWord returns the last word of a match, without quotes.
func lastWord(s string) string {
	s = strings.TrimRight(s, "\"'`")
	return s[strings.LastIndexAny(s, " \"'`")+1:]
}

// looksRandom reports whether a string looks random or encoded, as opposed to a
// name, a path or a word: it alternates between lower case, upper case and
// digits.
func looksRandom(s string) bool {
	s = lastWord(s)
	changes := 0
	class := func(c byte) int {
		switch {
		case c >= '0' && c <= '9':
			return 1
		case c >= 'a' && c <= 'z':
			return 2
		case c >= 'A' && c <= 'Z':
			return 3
		}
		return 0
	}
	for i := 1; i < len(s); i++ {
		if class(s[i]) != class(s[i-1]) {
			changes++
		}
	}
	return changes*3 > len(s) && strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// allowed lists the exceptions: patterns that may occur in one file, or in
// every file of that name.
var allowed = []struct{ file, shape, line, why string }{
	{"go.sum", "long base64", ` h1:`, "hashes of modules, which the toolchain checks"},
	{"bench/plain/reporting/reporting.gen.go", "long base64", `ConnAfforReport[A-Za-z_]*[01]`, "long Go names, as plain oapi-codegen makes them"},
	{"specs/specs.lock", "long hexadecimal", `^( *commit|    snapshot): `, "the pinned commits, and hashes of snapshots"},
	{".github/workflows/ci.yml", "long hexadecimal", `^ +- uses: [a-z/-]+@[0-9a-f]{40} # v[0-9.]+$`, "actions pinned by commit"},
	{".github/workflows/pages.yml", "long hexadecimal", `^ +- uses: [a-z/-]+@[0-9a-f]{40} # v[0-9.]+$`, "actions pinned by commit"},
	{".github/workflows/release.yml", "long hexadecimal", `^ +- uses: [a-z/-]+@[0-9a-f]{40} # v[0-9.]+$`, "actions pinned by commit"},
	{".github/workflows/upstream.yml", "long hexadecimal", `^ +- uses: [a-z/-]+@[0-9a-f]{40} # v[0-9.]+$`, "actions pinned by commit"},
}

// secrets returns a finding for everything in a file that looks like a
// credential. The findings do not contain the credential.
func secrets(name string, data []byte) []string {
	var found []string
	for i, line := range bytes.Split(data, []byte("\n")) {
		for _, shape := range secretShapes {
			for _, m := range shape.re.FindAllString(string(line), -1) {
				if shape.more != nil && !shape.more(m) {
					continue
				}
				if !slices.ContainsFunc(allowed, func(a struct{ file, shape, line, why string }) bool {
					return (a.file == name || a.file == path.Base(name)) && a.shape == shape.name && regexp.MustCompile(a.line).Match(line)
				}) {
					found = append(found, fmt.Sprintf("%s:%d: looks like a %s (%d characters)", name, i+1, shape.name, len(m)))
				}
			}
		}
	}
	return found
}

// TestNoSecretInTheRepository scans every file in the working tree that is not
// ignored. Nothing may look like a credential, not even a fake one, because
// nobody can tell the difference.
func TestNoSecretInTheRepository(t *testing.T) {
	root()
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("not a checkout: %v", err)
	}
	names := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	if len(names) < 100 {
		t.Fatalf("only %d files were scanned", len(names))
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted, but not yet committed
		}
		if err != nil {
			t.Error(err)
			continue
		}
		switch path.Ext(name) {
		case ".pem", ".key", ".p12", ".pfx", ".jks", ".env":
			t.Errorf("%s: files of this kind contain credentials", name)
		}
		for _, f := range secrets(name, data) {
			t.Error(f)
		}
	}
}

// TestSecretsAreFound checks that the scan finds an example of each pattern,
// and ignores strings that only resemble one.
func TestSecretsAreFound(t *testing.T) {
	root()
	letters := "a1B" + "c2D" + "e3F" + "g4H" + "i5J" + "k6L" + "m7N" + "o8P" + "q9R" + "s0T" + "u1V" + "w2X" + "y3Z" + "a4B"
	digits := strings.Repeat("0f1e2d3c", 4)
	id := digits[:8] + "-" + digits[:4] + "-" + digits[:4] + "-" + digits[:4] + "-" + digits[:12]
	for shape, text := range map[string]string{
		"private key":              "-----BEGIN RSA " + "PRIVATE KEY-----",
		"JSON web token":           "e" + "yJ" + letters[:12] + "." + letters[:12] + "." + letters,
		"authorization header":     "Authorization: Basic " + letters[:24],
		"webhook secret":           "whsec" + "_" + letters[:24],
		"vendor's key":             "AK" + "IA" + strings.ToUpper(letters[:16]),
		"key of two identifiers":   id + ":" + id,
		"password in an address":   "https://user" + ":" + "letmein" + "letmein" + "@example.com/",
		"long hexadecimal":         "x = " + digits,
		"long base64":              "key: " + letters,
		"value of a secret's name": `apiKey = "` + letters[:20] + `"`,
	} {
		found := strings.Join(secrets("a.txt", []byte("first\n"+text+"\n")), "\n")
		if !strings.Contains(found, "a.txt:2: looks like a "+shape) {
			t.Errorf("%s: found %q", shape, found)
		}
		if strings.Contains(found, letters[:12]) || strings.Contains(found, digits[:8]) {
			t.Errorf("%s: the finding contains the credential", shape)
		}
	}
	if found := secrets("specs/specs.lock", []byte("    note: "+digits)); len(found) == 0 {
		t.Error("an exception applies to the whole file")
	}
	for _, text := range []string{
		"https://user@example.com/", "Basic authentication is required here", "github.com/basiq-sdk/basiq-go/generated/affordability",
		"00000000-0000-0000-0000-000000000001", "StepCodeAccountNotAccessibleRequiresUserAction", strings.Repeat("0", 64),
		"Bearer token-1-CLIENT_ACCESS-ada", "98765432109876543210987654321098765432", `token := "not-a-real-token"`, `APIKey: "sandbox"`, "https://pkg.go.dev/github.com/basiq-sdk/basiq-go#hdr-Absent__null_and_zero",
	} {
		if found := secrets("a.txt", []byte(text)); len(found) > 0 {
			t.Errorf("%q: %s", text, found)
		}
	}
}
