package canon

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// credentialLike matches the secrets that specifications have been seen to
// contain, or may contain.
var credentialLike = []*regexp.Regexp{
	regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`),                          // JWT
	regexp.MustCompile(`(?i)\b(?:basic|bearer)\s+[A-Za-z0-9+/=_.-]{16,}`),                  // Authorization header
	regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]{8,}`),                                       // webhook secret
	regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{8}-`),     // two joined UUIDs
	regexp.MustCompile(`\b(?i:[0-9a-f]{40,})\b`),                                           // long hexadecimal
	regexp.MustCompile(`://[^/\s:@]+:[^/\s:@]+@`),                                          // user information in a URL
	regexp.MustCompile(`\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|\bAKIA[0-9A-Z]{12,}`), // vendors' key prefixes
}

var longBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// credentials reports a value that looks like a secret. Secrets must not reach the
// repository, even if upstream has published them.
func (c *canoniser) credentials(key string, n *yaml.Node) {
	for _, child := range n.Content {
		c.credentials(key, child)
	}
	if n.Kind != yaml.ScalarNode || len(n.Value) < 16 || key == "$ref" {
		return
	}
	if len(n.Value) > maxValue {
		c.errorf(n, "too-large", "the value of %s has %d bytes; the limit is %d", describe(key), len(n.Value), maxValue)
		return
	}
	if key == "pattern" || key == "operationId" || c.full() {
		return
	}
	if secret(n.Value) {
		c.errorf(n, "credential-like", "the value of %s looks like a credential", describe(key)).
			WithHint("ask upstream to remove it; this message does not show it")
	}
}

// secret reports whether a text looks like a credential.
func secret(text string) bool {
	hit := slices.ContainsFunc(credentialLike, func(re *regexp.Regexp) bool { return re.MatchString(text) })
	if !hit {
		for _, m := range longBase64.FindAllString(text, 8) {
			hit = hit || strings.ContainsAny(m, "0123456789") && strings.ToLower(m) != m && strings.ToUpper(m) != m
		}
	}
	return hit
}
