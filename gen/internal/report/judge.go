package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// judge decides a card's level and bump. The bump follows from the Go API
// alone: a change of the service that the Go API does not show meets callers
// of every version, so that no version number can express it; the level does.
func (d *domainDiff) judge(c *Card) {
	broken, added := 0, 0
	for _, g := range c.Go {
		if g.Compatible {
			added++
		} else {
			broken++
		}
	}
	c.Level = Silent
	var reasons []string
	if c.Renamed != nil {
		reasons = append(reasons, d.judgeRename(c))
	}
	for _, f := range c.Facts {
		if c.Renamed != nil && (f.Aspect == "" || strings.HasSuffix(f.Aspect, "$ref")) {
			continue // weighed as a rename
		}
		level, why := d.weigh(f)
		if level.rank() < c.Level.rank() {
			c.Level = level
		}
		if why != "" && !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
		if len(c.Go) == 0 && !d.unknown {
			for _, a := range d.absorbs(f) {
				if !slices.Contains(c.Absorbed, a) {
					c.Absorbed = append(c.Absorbed, a)
				}
			}
		}
	}
	switch {
	case d.unknown:
		c.Bump = Unknown
		reasons = append(reasons, "whether it affects the Go code is unknown")
	case broken > 0:
		c.Level, c.Bump = Breaking, Major
		reasons = append(reasons, breaks(broken)+" callers")
	case added > 0:
		c.Bump = Minor
		if c.Level == Silent {
			c.Level = Addition
		}
		reasons = append(reasons, count(added, "addition")+" to the Go API")
	case len(c.Source) > 0:
		c.Bump = Patch
		reasons = append(reasons, "the Go API stays, the code behind it changes")
	default:
		c.Bump = None
		if c.Level == Addition {
			c.Level = Silent // nothing new that a caller could use
		}
		reasons = append(reasons, "it does not affect the Go code")
	}
	c.why = reasons
	c.Reason = sentence(strings.Join(reasons, "; "))
}

// breaks says how many changes of the Go API break what follows.
func breaks(n int) string {
	if n == 1 {
		return "1 change of the Go API breaks"
	}
	return fmt.Sprintf("%d changes of the Go API break", n)
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// weigh returns what a fact means to a caller, apart from its Go type.
func (d *domainDiff) weigh(f specdiff.Fact) (Level, string) {
	dir := d.directions.Of(f.Subject)
	request, response := dir&specdiff.Request != 0, dir&specdiff.Response != 0
	parts := strings.Split(f.Subject, "/")
	if f.Subject == "#" && f.Aspect == "" {
		if f.Op == specdiff.Removed {
			return Breaking, "the whole description was removed"
		}
		return Addition, "a whole new description"
	}
	operation := len(parts) == 4 && parts[1] == "paths"
	last := f.Aspect[strings.LastIndex(f.Aspect, "/")+1:]
	if operation && f.Aspect == "" {
		if f.Op == specdiff.Removed {
			return Breaking, "calls of the operation will fail"
		}
		return Addition, "a new operation"
	}
	switch {
	case f.Aspect == "" && f.Op == specdiff.Added:
		if strings.Contains(f.Subject, "/parameters/") && strings.Contains(f.To, "required: true") {
			return Breaking, "calls without the new parameter will be refused"
		}
		return Addition, ""
	case f.Aspect == "":
		if response {
			return Notable, "the service may no longer send it"
		}
		return Notable, "the service may refuse or ignore it"
	case last == "required":
		return weighRequired(f, request, response)
	case last == "enum":
		return weighEnumeration(f, request, response)
	case last == "nullable":
		if response && f.To == "true" {
			return Notable, "the service may send null"
		}
		return Silent, ""
	case last == "type", last == "format", last == "$ref", last == "items", last == "oneOf", last == "anyOf", last == "allOf":
		return Notable, "the value's type changes on the wire"
	case last == "pattern", strings.HasPrefix(last, "max"), strings.HasPrefix(last, "min"), last == "multipleOf", last == "uniqueItems":
		if request {
			return Notable, "the service may validate requests against other limits"
		}
		return Silent, ""
	case last == "deprecated" && f.To == "true":
		return Notable, "upstream deprecated it and may remove it"
	case last == "security":
		return Notable, "other credentials are required"
	case strings.HasPrefix(f.Aspect, "responses"), strings.Contains(f.Subject, "/responses/"):
		return Notable, "the documented responses change"
	}
	return Silent, ""
}

// wholeList reports whether a fact is about an enumeration as a whole, and not
// about one of its values.
func wholeList(f specdiff.Fact) bool { return strings.HasPrefix(f.From+f.To, "[") }

// weighEnumeration weighs the addition or removal of values, or of a whole
// enumeration.
func weighEnumeration(f specdiff.Fact, request, response bool) (Level, string) {
	whole, added, removed := wholeList(f), f.Op == specdiff.Added, f.Op == specdiff.Removed
	switch {
	case whole && added && request:
		return Notable, "the service may refuse values that are not listed"
	case whole && removed && response:
		return Notable, "the service may send values that were not listed"
	case whole:
	case removed && request:
		return Notable, fmt.Sprintf("the service may refuse the value %q", f.From)
	case added && response:
		return Notable, fmt.Sprintf("the service may send the new value %q", f.To)
	case added:
		return Addition, fmt.Sprintf("a new value %q to send", f.To)
	}
	return Silent, ""
}

func weighRequired(f specdiff.Fact, request, response bool) (Level, string) {
	came := f.Op == specdiff.Added || f.Op == specdiff.Changed && f.To == "true"
	switch {
	case came && request:
		return Breaking, "calls without it will be refused"
	case !came && response:
		return Notable, "the service may leave it out from now on"
	}
	return Silent, ""
}

// absorbs returns why a fact does not change the Go API.
func (d *domainDiff) absorbs(f specdiff.Fact) []Absorption {
	if d.before == nil || d.after == nil || d.before.Document == nil || d.after.Document == nil {
		return nil
	}
	if !d.effective[effectiveKey(f)] {
		if by := d.repairing(f); len(by) > 0 {
			return by
		}
		return []Absorption{{By: "overlay", Text: "our overlays say the same of both versions"}}
	}
	if f.Aspect == "" && f.Op == specdiff.Removed && d.index[0].symbol(f.Subject) != "" {
		return []Absorption{{By: "overlay", Text: "the Go API keeps it: our overlays, or another part of the description, have it still"}}
	}
	if text := typesAbsorb(f, d.directions.Of(f.Subject)); text != "" {
		return []Absorption{{By: "type", Text: text}}
	}
	return nil
}

func typesAbsorb(f specdiff.Fact, dir specdiff.Direction) string {
	last := f.Aspect[strings.LastIndex(f.Aspect, "/")+1:]
	switch {
	case f.Subject == "#", strings.HasPrefix(f.Subject, "#/components/securitySchemes"), last == "security", last == "servers":
		return "addresses and credentials are the transport's, not the description's"
	case strings.Contains(f.Subject, "/responses/") && f.Aspect == "":
		return "every status is understood, documented or not: any other than a success is a *transport.Error"
	case f.Aspect == "" && f.Op == specdiff.Removed:
		return "the Go API never had it"
	case last == "enum":
		return "enumerations are open: any value survives, and Known reports whether this version knows it"
	case last == "required" && dir == specdiff.Response:
		return "a member that is left out leaves its field's zero value; the JSON field distinguishes absent from empty"
	case last == "required":
		return "the Go type is the same for required and optional"
	case last == "nullable":
		return "null decodes to the zero value; the JSON field distinguishes null from absent"
	case last == "format", last == "type", last == "$ref", last == "items":
		return "both forms have the same Go type"
	case last == "pattern", strings.HasPrefix(last, "max"), strings.HasPrefix(last, "min"), last == "uniqueItems", last == "default":
		return "limits and defaults are enforced by the service: the client sends any value"
	case last == "additionalProperties":
		return "members that a type does not declare are kept"
	}
	return ""
}
