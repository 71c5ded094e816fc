package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/cli"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
)

// TestEveryOperationHasACommand lists the operations of the generated clients
// that no command calls: none.
func TestEveryOperationHasACommand(t *testing.T) {
	t.Parallel()
	declared := declaredOperations(t)
	if len(declared) < 60 {
		t.Fatalf("only %d operations were found", len(declared))
	}
	var have []string
	for _, op := range commands.Operations() {
		have = append(have, op.ID)
	}
	offered := cli.OperationCommands()
	for _, id := range declared {
		if !slices.Contains(have, id) {
			t.Errorf("%s has no command: run make generate", id)
		}
		if !slices.Contains(offered, id) {
			t.Errorf("%s has a command that basiq does not offer", id)
		}
	}
	if len(have) != len(declared) {
		t.Errorf("%d commands for %d operations", len(have), len(declared))
	}
}

// declaredOperations returns the ID of each operation in the generated clients.
func declaredOperations(t *testing.T) (ids []string) {
	t.Helper()
	files, err := filepath.Glob("../../generated/*/*.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, _ := kv.Key.(*ast.Ident)
			if lit, ok := kv.Value.(*ast.BasicLit); ok && key != nil && key.Name == "ID" && strings.Count(lit.Value, ".") == 2 {
				ids = append(ids, strings.Trim(lit.Value, `"`))
			}
			return true
		})
	}
	return ids
}
