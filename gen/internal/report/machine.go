package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// notes returns the annotations for a pull request: what breaks callers, what
// they should know, and the overlay actions that need attention.
type note struct {
	id, rule, level, file, title, text string
	line                               int
}

func (r *Report) notes() (out []note) {
	for _, s := range r.Stopped {
		for _, f := range s.Findings {
			out = append(out, note{rule: "stopped", level: "error", file: f.Pos.File, line: f.Pos.Line, title: s.String() + " could not be built", text: f.Message})
		}
	}
	for _, s := range r.Broken {
		for _, f := range s.Findings {
			out = append(out, note{rule: "does-not-compile", level: "error", file: f.Pos.File, line: f.Pos.Line, title: s.What + " no longer compiles", text: f.Message})
		}
	}
	for _, c := range r.Cards {
		level := map[Level]string{Breaking: "error", Notable: "warning"}[c.Level]
		if level == "" {
			continue
		}
		text := c.Reason
		for i, g := range c.Go {
			if i == 5 {
				text += fmt.Sprintf(" And %d more.", len(c.Go)-i)
				break
			}
			text += " " + g.String() + "."
		}
		out = append(out, note{id: c.ID, rule: string(c.Level) + "-change", level: level, file: c.Pos.File, line: c.Pos.Line, title: c.Domain + ": " + c.Title, text: text})
	}
	for _, list := range [][]Repair{r.Obsolete, r.Unmatched, r.Defects} {
		for _, v := range list {
			title := "an overlay action no longer applies"
			if !strings.HasPrefix(v.At, "overlays/") {
				title = "no overlay repairs this"
			}
			file, line := v.place()
			out = append(out, note{rule: v.Code, level: "warning", file: file, line: line, title: title, text: v.Message})
		}
	}
	return out
}

// place splits a repair's place into file and line.
func (r Repair) place() (file string, line int) {
	file, number, _ := strings.Cut(r.At, ":")
	if _, err := fmt.Sscanf(number, "%d", &line); err != nil {
		return file, 0
	}
	return file, line
}

// GitHub writes the notes as annotations of GitHub's workflow commands.
func (r *Report) GitHub(w io.Writer) error {
	for _, n := range r.notes() {
		at := "file=" + property(n.file)
		if n.line > 0 {
			at += fmt.Sprintf(",line=%d", n.line)
		}
		if _, err := fmt.Fprintf(w, "::%s %s,title=%s::%s\n", n.level, at, property(n.title), message(n.text)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "::notice title=API diff::%s\n", message(fmt.Sprintf("%s. Version: %s, because %s.", r.summary(), r.Bump, r.Reason)))
	return err
}

var messageEscaper = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func message(s string) string { return messageEscaper.Replace(s) }

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(messageEscaper.Replace(s))
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

var ruleTexts = map[string]string{
	"breaking-change":  "Code of callers no longer compiles, or calls that worked fail",
	"notable-change":   "Code of callers compiles, and may meet what it did not expect",
	"stopped":          "A domain could not be generated",
	"does-not-compile": "A hand-written package does not compile with the new clients",
}

// SARIF writes the notes in the Static Analysis Results Interchange Format, 2.1.0.
func (r *Report) SARIF(w io.Writer) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "basiq-go gen", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	seen := map[string]bool{}
	for _, n := range r.notes() {
		if !seen[n.rule] {
			seen[n.rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{n.rule, sarifText{cmp.Or(ruleTexts[n.rule], "An overlay action no longer applies")}})
		}
		res := sarifResult{
			RuleID: n.rule, Level: n.level, Message: sarifText{n.title + ". " + n.text},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{n.file}, sarifRegion{max(n.line, 1)}}}},
		}
		if n.id != "" {
			res.Fingerprints = map[string]string{"card/v1": n.id}
		}
		run.Results = append(run.Results, res)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
