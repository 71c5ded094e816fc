package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// assistant starts basiq mcp over stdio and returns a client's session.
func assistant(t *testing.T, srv *basiqtest.Server, args ...string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: command(t, srv, append([]string{"mcp"}, args...)...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call calls a tool and returns its text.
func call(t *testing.T, s *mcp.ClientSession, name string, arguments map[string]any) (text string, failed bool) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		t.Fatal(err)
	}
	return result.Content[0].(*mcp.TextContent).Text, result.IsError
}

// TestAssistantReads has an assistant read a user's data, page by page.
func TestAssistantReads(t *testing.T) {
	t.Parallel()
	srv, user := user(t)
	s := assistant(t, srv)
	tools, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools.Tools {
		if !tool.Annotations.ReadOnlyHint || tool.Description == "" {
			t.Errorf("%s: %+v", tool.Name, tool.Annotations)
		}
	}
	var ids []string
	arguments := map[string]any{"user": user, "max_rows": 500, "direction": "debit"}
	for {
		text, failed := call(t, s, "transactions_list", arguments)
		var page struct {
			Data   []struct{ ID, Direction string }
			Cursor string
		}
		if err := json.Unmarshal([]byte(text), &page); failed || err != nil || len(page.Data) == 0 {
			t.Fatal(text, err)
		}
		for _, tx := range page.Data {
			if tx.Direction != "debit" {
				t.Errorf("%+v is not a debit", tx)
			}
			ids = append(ids, tx.ID)
		}
		if page.Cursor == "" {
			break
		}
		arguments["cursor"] = page.Cursor
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n < 1000 || n != len(ids) {
		t.Errorf("%d transactions, %d of them different", len(ids), n)
	}
	text, failed := call(t, s, "connectors_list", map[string]any{"max_rows": 2})
	if failed || !strings.Contains(text, `"omittedRows":`) {
		t.Error(text)
	}
}

// TestAssistantIsRefused checks what an assistant cannot do, and that it is told
// why in words.
func TestAssistantIsRefused(t *testing.T) {
	t.Parallel()
	srv, user := user(t)
	s := assistant(t, srv)
	for _, name := range []string{"users_delete", "users_create", "auth_create_token", "reports_get_pdf"} {
		if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: map[string]any{"user": user}}); err == nil {
			t.Errorf("%s was called", name)
		}
	}
	for _, c := range []struct {
		tool      string
		arguments map[string]any
		want      string
	}{
		{"transactions_list", map[string]any{"usr": user}, `no argument "usr"; did you mean user?`},
		{"transactions_list", map[string]any{}, "needs the argument user"},
		{"transactions_list", map[string]any{"user": user, "status": "psoted"}, "did you mean posted?"},
		{"transactions_list", map[string]any{"user": user, "max_rows": 0}, "from 1 to 500"},
		{"transactions_list", map[string]any{"user": user, "cursor": "x"}, "cursor"},
		{"transactions_list", map[string]any{"user": user, "direction": []string{"debit"}}, "single value"},
		{"users_get", map[string]any{"user": "nobody"}, "404"},
		{"users_get", map[string]any{"user": "a/../b"}, "PathError"},
	} {
		text, failed := call(t, s, c.tool, c.arguments)
		if c.want == "PathError" {
			c.want = "userId"
		}
		if !failed || !strings.Contains(text, c.want) {
			t.Errorf("%s %v: %q, want %q", c.tool, c.arguments, text, c.want)
		}
	}
}

// TestAssistantSeesNoSecrets calls every tool that can return a secret, and
// looks for the API key, tokens and webhook secrets in what it gets.
func TestAssistantSeesNoSecrets(t *testing.T) {
	t.Parallel()
	srv, user := user(t)
	s := assistant(t, srv, "--allow", "webhooks,users.update,statements.upload")
	var all strings.Builder
	for _, c := range []struct {
		tool      string
		arguments map[string]any
	}{
		{"webhooks_create", map[string]any{"url": "https://example.com/hook", "name": "n", "description": "d", "subscribed_events": []string{"user.created"}}},
		{"webhooks_list", nil},
		{"users_update", map[string]any{"user": user, "last_name": "Muster"}},
		{"statements_upload", map[string]any{"user": user, "institution_id": basiqtest.ExampleBank, "statement": map[string]any{"name": "july.csv", "text": "date,description,amount\n2026-01-05,x,1.00\n"}}},
	} {
		text, failed := call(t, s, c.tool, c.arguments)
		if failed {
			t.Errorf("%s: %s", c.tool, text)
		}
		all.WriteString(text)
	}
	if !strings.Contains(all.String(), `"secret":"[redacted]"`) || !strings.Contains(all.String(), "Muster") {
		t.Error(all.String())
	}
	for _, secret := range []string{srv.APIKey(), "whsec_", "eyJ"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is in a result", secret)
		}
	}
}

// TestAssistantThatLeavesEndsTheServer closes stdin.
func TestAssistantThatLeavesEndsTheServer(t *testing.T) {
	t.Parallel()
	srv := basiqtest.NewServer(t)
	cmd := command(t, srv, "mcp")
	cmd.Stdin = strings.NewReader("")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
