package specdiff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// Level is the severity of a finding, which oasdiff ranks for the API's author.
type Level string

// Levels of a Finding.
const (
	Breaking Level = "breaking"
	Warning  Level = "warning"
	Info     Level = "info"
)

// Finding is a finding of oasdiff about a part. Findings about a shared part, which
// oasdiff reports for each operation that uses it, are merged.
type Finding struct {
	Rule       string   `json:"rule"` // "response-property-became-optional"
	Level      Level    `json:"level"`
	Text       string   `json:"text"`
	Property   string   `json:"-"` // the property that the finding is about, if any
	Old        string   `json:"-"` // pointer of the part in the older document, "" if it is not in it
	New        string   `json:"-"`
	Operations []string `json:"operations,omitempty"`
}

// Findings compares two snapshots with oasdiff.
func Findings(before, after []byte, old, new Pointers) ([]Finding, error) {
	one, err := loadSpec("before", before)
	if err != nil {
		return nil, err
	}
	two, err := loadSpec("after", after)
	if err != nil {
		return nil, err
	}
	d, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), one, two)
	if err != nil {
		return nil, fmt.Errorf("compare the specifications with oasdiff: %w", err)
	}
	words := checker.NewDefaultLocalizer()
	changes := checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(checker.GetAllChecks()), d, sources, checker.INFO)
	merged := map[string]*Finding{}
	var order []string
	for _, c := range changes {
		if strings.HasSuffix(c.GetId(), "version-not-bumped") {
			continue // the versions of the specifications are meaningless
		}
		f := Finding{Rule: c.GetId(), Level: Info, Text: c.GetUncolorizedText(words)}
		switch c.GetLevel() {
		case checker.ERR:
			f.Level = Breaking
		case checker.WARN:
			f.Level = Warning
		}
		if args := c.GetArgs(); len(args) > 0 && strings.Contains(f.Rule, "property") {
			name := strings.Trim(fmt.Sprint(args[0]), "'`")
			f.Property = name[strings.LastIndex(name, "/")+1:]
		}
		if s := c.GetBaseSource(); s != nil {
			f.Old = old[s.Line]
		}
		if s := c.GetRevisionSource(); s != nil {
			f.New = new[s.Line]
		}
		key := strings.Join([]string{f.Rule, f.Old, f.New, fmt.Sprint(c.GetArgs()...)}, "\x00")
		if f.Old == "" && f.New == "" {
			key += c.GetOperation() + c.GetPath()
		}
		if merged[key] == nil {
			merged[key] = &f
			order = append(order, key)
		}
		if op := strings.TrimSpace(c.GetOperation() + " " + c.GetPath()); op != "" && !slices.Contains(merged[key].Operations, op) {
			merged[key].Operations = append(merged[key].Operations, op)
		}
	}
	out := make([]Finding, len(order))
	for i, key := range order {
		slices.Sort(merged[key].Operations)
		out[i] = *merged[key]
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New), cmp.Compare(a.Text, b.Text))
	})
	return out, nil
}

func loadSpec(name string, data []byte) (*load.SpecInfo, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	loader.IncludeOrigin = true
	s, err := load.NewSpecInfoFromData(loader, data, name)
	if err != nil {
		return nil, fmt.Errorf("load the specification for oasdiff: %w", err)
	}
	return s, nil
}
