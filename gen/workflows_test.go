package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// audit is a rule for workflows. It is named after the audit of zizmor that finds the
// same. Those that need the network (archived-uses, impostor-commit,
// known-vulnerable-actions, ref-confusion, stale-action-refs) have no rule here.
type audit struct {
	name  string
	check func(w *workflow)
	bad   string // a change of goodWorkflow that the audit must find, as OLD => NEW
}

var audits = []audit{
	{"anonymous-definition", anonymousDefinition, "    name: Build => "},
	{"artipacked", artipacked, "persist-credentials: false => persist-credentials: true"},
	{"bot-conditions", botConditions, "if: github.ref_type == 'tag' => if: github.actor == 'dependabot[bot]'"},
	{"cache-poisoning", cachePoisoning, "cache: false => cache: true"},
	{"concurrency-limits", concurrencyLimits, "concurrency: {group: release, cancel-in-progress: false} => "},
	{"dangerous-triggers", dangerousTriggers, "on: {push: {tags: ['v*']}} => on: pull_request_target"},
	{"excessive-permissions", excessivePermissions, "permissions: {} => permissions: write-all"},
	{"undocumented-permissions", undocumentedPermissions, " # checks out => "},
	{"github-env", githubEnv, "make release => make release >> $GITHUB_ENV"},
	{"unpinned-images", unpinnedImages, "    runs-on: ubuntu-latest =>     runs-on: ubuntu-latest\n    container: redis:8"},
	{"insecure-commands", insecureCommands, "    env: {TAG: =>     env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true, TAG:"},
	{"overprovisioned-secrets", wholeSecrets, "github.ref_name => toJSON(secrets)"},
	{"secrets-inherit", wholeSecrets, "    runs-on: ubuntu-latest =>     secrets: inherit\n    runs-on: ubuntu-latest"},
	{"secrets-outside-env", secretsOutsideEnv, "github.ref_name => secrets.SIGNING"},
	{"self-hosted-runner", selfHostedRunner, "runs-on: ubuntu-latest => runs-on: [self-hosted, linux]"},
	{"template-injection", templateInjection, "make release => make release ${{ github.ref_name }}"},
	{"unpinned-uses", unpinnedUses, "@0123456789012345678901234567890123456789 => @v5"},
	{"ref-version-mismatch", refVersionMismatch, "# v5.0.0 => # main"},
	{"unsound-condition", unsoundCondition, "if: github.ref_type == 'tag' => if: ${{ github.ref_type == 'tag' }} || false"},
	{"unsound-contains", unsoundContains, "if: github.ref_type == 'tag' => if: contains('refs/heads/a refs/heads/b', github.ref)"},
	{"misfeature", misfeature, "        run: make release =>         run: make release\n        shell: cmd"},
	{"unpinned-tools", unpinnedTools, "make release => go run example.com/tool@latest"},
}

// goodWorkflow passes all audits.
const goodWorkflow = `name: release
on: {push: {tags: ['v*']}}
permissions: {}
concurrency: {group: release, cancel-in-progress: false}
jobs:
  build:
    name: Build
    runs-on: ubuntu-latest
    if: github.ref_type == 'tag'
    permissions:
      contents: read # checks out
    env: {TAG: '${{ github.ref_name }}'}
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v5.0.0
        with: {persist-credentials: false}
      - uses: actions/setup-go@0123456789012345678901234567890123456789 # v6.0.0
        with: {cache: false}
      - name: Release
        run: make release
`

// TestWorkflowsPassTheAudits holds the workflows to the rules of zizmor that can be
// checked without the network.
func TestWorkflowsPassTheAudits(t *testing.T) {
	files, err := filepath.Glob("../.github/workflows/*.y*ml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no workflows: ", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range audits {
			for _, finding := range findingsOf(t, a, string(data)) {
				t.Errorf("%s: %s: %s", filepath.Base(file), a.name, finding)
			}
		}
	}
}

// TestAuditsFindWhatTheyLookFor breaks a good workflow in the way that each audit
// looks for.
func TestAuditsFindWhatTheyLookFor(t *testing.T) {
	for _, a := range audits {
		t.Run(a.name, func(t *testing.T) {
			if found := findingsOf(t, a, goodWorkflow); len(found) > 0 {
				t.Errorf("the good workflow: %s", found)
			}
			old, new, ok := strings.Cut(a.bad, " => ")
			if !ok || !strings.Contains(goodWorkflow, old) {
				t.Fatalf("the good workflow does not contain %q", old)
			}
			if len(findingsOf(t, a, strings.Replace(goodWorkflow, old, new, 1))) == 0 {
				t.Errorf("%q is not found", new)
			}
		})
	}
}

// TestDependabotWaits holds that new versions of dependencies have been public for a
// week when Dependabot proposes them, and that it does not run code of dependencies.
func TestDependabotWaits(t *testing.T) {
	data, err := os.ReadFile("../.github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Updates []struct {
			Ecosystem string `yaml:"package-ecosystem"`
			Cooldown  struct {
				Days int `yaml:"default-days"`
			}
			Execution string `yaml:"insecure-external-code-execution"`
		}
	}
	if err := yaml.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	var ecosystems []string
	for _, u := range config.Updates {
		ecosystems = append(ecosystems, u.Ecosystem)
		if u.Cooldown.Days < 7 {
			t.Errorf("%s: dependabot-cooldown: default-days is %d, want at least 7", u.Ecosystem, u.Cooldown.Days)
		}
		if u.Execution == "allow" {
			t.Errorf("%s: dependabot-execution: code of dependencies may run", u.Ecosystem)
		}
	}
	if want := []string{"gomod", "github-actions"}; !slices.Equal(ecosystems, want) {
		t.Errorf("Dependabot updates %q, want %q", ecosystems, want)
	}
}

func findingsOf(t *testing.T, a audit, text string) []string {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	w := &workflow{root: doc.Content[0], text: text}
	a.check(w)
	return w.findings
}

// workflow is a workflow that is audited.
type workflow struct {
	root     *yaml.Node
	text     string
	findings []string
}

func (w *workflow) report(n *yaml.Node, format string, args ...any) {
	w.findings = append(w.findings, fmt.Sprintf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

// entries returns the keys and values of a mapping.
func entries(n *yaml.Node) (list [][2]*yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for pair := range slices.Chunk(n.Content, 2) {
		list = append(list, [2]*yaml.Node{pair[0], pair[1]})
	}
	return list
}

// lookup returns the value at a path of keys, nil if there is none.
func lookup(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		var found *yaml.Node
		for _, e := range entries(n) {
			if e[0].Value == key {
				found = e[1]
			}
		}
		n = found
	}
	return n
}

// textOf returns the value of a scalar at a path of keys, "" if there is none.
func textOf(n *yaml.Node, keys ...string) string {
	if n = lookup(n, keys...); n == nil {
		return ""
	}
	return n.Value
}

// scalars calls visit for all keys and values below a node, with the key of each value.
func scalars(n *yaml.Node, key string, visit func(key string, n *yaml.Node)) {
	switch n.Kind {
	case yaml.ScalarNode:
		visit(key, n)
	case yaml.MappingNode:
		for _, e := range entries(n) {
			visit("", e[0])
			scalars(e[1], e[0].Value, visit)
		}
	default:
		for _, c := range n.Content {
			scalars(c, key, visit)
		}
	}
}

func (w *workflow) jobs() (list []*yaml.Node) {
	for _, e := range entries(lookup(w.root, "jobs")) {
		list = append(list, e[1])
	}
	return list
}

func (w *workflow) steps() (list []*yaml.Node) {
	for _, job := range w.jobs() {
		if steps := lookup(job, "steps"); steps != nil {
			list = append(list, steps.Content...)
		}
	}
	return list
}

// each reports every scalar of some keys that matches a pattern. Without keys, it looks
// at all scalars.
func (w *workflow) each(pattern, what string, keys ...string) {
	expr := regexp.MustCompile(pattern)
	scalars(w.root, "", func(key string, n *yaml.Node) {
		if (len(keys) == 0 || slices.Contains(keys, key)) && expr.MatchString(n.Value) {
			w.report(n, "%s: %s", n.Value, what)
		}
	})
}

func anonymousDefinition(w *workflow) {
	for _, n := range append(w.jobs(), w.root) {
		if textOf(n, "name") == "" {
			w.report(n, "it has no name")
		}
	}
}

func artipacked(w *workflow) {
	for _, s := range w.steps() {
		if strings.HasPrefix(textOf(s, "uses"), "actions/checkout@") && textOf(s, "with", "persist-credentials") != "false" {
			w.report(s, "the checkout leaves its token in the working copy; set persist-credentials: false")
		}
	}
}

func botConditions(w *workflow) {
	w.each(`\b(actor|triggering_actor)\b`, "the actor can be spoofed", "if")
}

// cachePoisoning refuses caches in workflows that tags start, and in jobs that may write.
func cachePoisoning(w *workflow) {
	tags := lookup(w.root, "on", "push", "tags") != nil || lookup(w.root, "on", "release") != nil
	for _, job := range w.jobs() {
		writes := slices.ContainsFunc(entries(lookup(job, "permissions")), func(e [2]*yaml.Node) bool { return e[1].Value == "write" })
		if !tags && !writes || lookup(job, "steps") == nil {
			continue
		}
		for _, s := range lookup(job, "steps").Content {
			action, _, _ := strings.Cut(textOf(s, "uses"), "@")
			if action == "actions/cache" || strings.HasPrefix(action, "actions/setup-") && textOf(s, "with", "cache") != "false" {
				w.report(s, "%s restores a cache, which other runs can write", action)
			}
		}
	}
}

func concurrencyLimits(w *workflow) {
	if c := lookup(w.root, "concurrency"); textOf(c, "group") == "" || textOf(c, "cancel-in-progress") == "" {
		w.report(w.root, "concurrency does not have a group and cancel-in-progress")
	}
}

func dangerousTriggers(w *workflow) {
	scalars(lookup(w.root, "on"), "", func(_ string, n *yaml.Node) {
		if n.Value == "pull_request_target" || n.Value == "workflow_run" {
			w.report(n, "%s runs with the permissions of this repository on code of others", n.Value)
		}
	})
}

func excessivePermissions(w *workflow) {
	if p := lookup(w.root, "permissions"); p == nil || p.Kind != yaml.MappingNode || len(p.Content) > 0 {
		w.report(w.root, "the workflow's permissions are not {}")
	}
	for _, job := range w.jobs() {
		if p := lookup(job, "permissions"); p == nil || p.Kind != yaml.MappingNode {
			w.report(job, "the job does not list its permissions")
		}
	}
}

func undocumentedPermissions(w *workflow) {
	for _, job := range w.jobs() {
		for _, e := range entries(lookup(job, "permissions")) {
			if e[1].LineComment == "" {
				w.report(e[0], "%s: %s has no comment that says what for", e[0].Value, e[1].Value)
			}
		}
	}
}

func githubEnv(w *workflow) {
	w.each(`GITHUB_(ENV|PATH)\b`, "what is written there applies to all later steps; use GITHUB_OUTPUT", "run")
}

func unpinnedImages(w *workflow) {
	digest := regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	image := func(n *yaml.Node) {
		if n != nil && !digest.MatchString(n.Value+textOf(n, "image")) {
			w.report(n, "the image is not pinned by its digest")
		}
	}
	for _, job := range w.jobs() {
		image(lookup(job, "container"))
		for _, e := range entries(lookup(job, "services")) {
			image(e[1])
		}
	}
}

func insecureCommands(w *workflow) {
	w.each(`ACTIONS_ALLOW_UNSECURE_COMMANDS`, "commands in the output of programs would be executed")
}

// wholeSecrets finds overprovisioned-secrets, secrets-inherit and unredacted-secrets.
func wholeSecrets(w *workflow) {
	w.each(`(?i)tojson\(\s*secrets\s*\)|secrets\[|fromjson\(\s*secrets\.`, "name single secrets")
	w.each(`^inherit$`, "name single secrets", "secrets")
}

func secretsOutsideEnv(w *workflow) {
	for _, job := range w.jobs() {
		if lookup(job, "environment") == nil {
			scalars(job, "", func(_ string, n *yaml.Node) {
				if used := regexp.MustCompile(`\bsecrets\.\w+`).FindString(n.Value); used != "" && used != "secrets.GITHUB_TOKEN" {
					w.report(n, "%s is used in a job without an environment", used)
				}
			})
		}
	}
}

func selfHostedRunner(w *workflow) {
	hosted := regexp.MustCompile(`^(ubuntu|macos|windows)-(latest|[0-9.]+)$`)
	for _, job := range w.jobs() {
		on := lookup(job, "runs-on")
		if textOf(job, "runs-on") == "${{ matrix.os }}" {
			on = lookup(job, "strategy", "matrix", "os")
		}
		if on == nil {
			w.report(job, "its runner is not known")
			continue
		}
		scalars(on, "", func(_ string, n *yaml.Node) {
			if !hosted.MatchString(n.Value) {
				w.report(n, "%s is not a runner of GitHub's", n.Value)
			}
		})
	}
}

func templateInjection(w *workflow) {
	w.each(`\$\{\{`, "an expression becomes part of the script; pass it in env", "run", "script")
}

var pinnedUse = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)

func unpinnedUses(w *workflow) {
	for _, s := range append(w.steps(), w.jobs()...) {
		if use := textOf(s, "uses"); use != "" && !strings.HasPrefix(use, "./") && !pinnedUse.MatchString(use) {
			w.report(s, "%s is not pinned by commit", use)
		}
	}
}

// refVersionMismatch holds that the comment after a pinned action is a version. That it
// is the commit's needs the network.
func refVersionMismatch(w *workflow) {
	version := regexp.MustCompile(`^# v[0-9]+\.[0-9]+\.[0-9]+$`)
	for _, s := range append(w.steps(), w.jobs()...) {
		if use := lookup(s, "uses"); use != nil && pinnedUse.MatchString(use.Value) && !version.MatchString(use.LineComment) {
			w.report(use, "%s has no comment with its version", use.Value)
		}
	}
}

func unsoundCondition(w *workflow) {
	scalars(w.root, "", func(key string, n *yaml.Node) {
		whole := strings.HasPrefix(n.Value, "${{") && strings.HasSuffix(n.Value, "}}") && strings.Count(n.Value, "${{") == 1
		if key == "if" && strings.Contains(n.Value, "${{") && !whole {
			w.report(n, "the condition is a text with an expression in it, which is always true")
		}
	})
}

func unsoundContains(w *workflow) {
	w.each(`contains\(\s*'`, "a part of one of the texts is contained, too; use fromJSON of a list")
}

func misfeature(w *workflow) {
	w.each(`^(cmd|powershell|python)$|\{0\}`, "use bash", "shell")
}

func unpinnedTools(w *workflow) {
	w.each(`\bgo (run|install) \S+@`+`(latest|main|master|HEAD)\b`, "the tool is not pinned to a version", "run")
	for _, s := range w.steps() {
		for line := range strings.Lines(textOf(s, "run")) {
			if i := strings.Index(line, "go install "); i >= 0 && !strings.Contains(line[i:], "@v") && !strings.Contains(line[i:], "./") {
				w.report(s, "%s has no version", strconv.Quote(strings.TrimSpace(line)))
			}
		}
	}
}
