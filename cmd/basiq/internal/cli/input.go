package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/transport"
)

// input has the values that an operation is called with. It implements
// commands.Input.
type input struct {
	op     *commands.Operation
	args   []string
	values map[string][]string // by parameter; all of them have passed checkValue
	body   *jsontree.Value     // of --body; nil if it was not given
	files  map[string]transport.File
}

var _ commands.Input = (*input)(nil)

func newInput(op *commands.Operation) *input {
	return &input{op: op, values: map[string][]string{}, files: map[string]transport.File{}}
}

// Arg implements commands.Input.
func (in *input) Arg(i int) string { return in.args[i] }

// ArgJSON implements commands.Input.
func (in *input) ArgJSON(i int, into any) error { return json.Unmarshal([]byte(in.args[i]), into) }

// Set implements commands.Input.
func (in *input) Set(name string) bool { return len(in.values[name]) > 0 }

// Text implements commands.Input.
func (in *input) Text(name string) string {
	if v := in.values[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// Texts implements commands.Input.
func (in *input) Texts(name string) []string { return in.values[name] }

// Int implements commands.Input.
func (in *input) Int(name string) int {
	n, _ := strconv.Atoi(in.Text(name)) // checkValue has accepted it
	return n
}

// Float implements commands.Input.
func (in *input) Float(name string) float64 {
	n, _ := strconv.ParseFloat(in.Text(name), 64) // checkValue has accepted it
	return n
}

// Bool implements commands.Input.
func (in *input) Bool(name string) bool { return in.Text(name) == "true" }

// File implements commands.Input.
func (in *input) File(name string) transport.File { return in.files[name] }

// JSON implements commands.Input.
func (in *input) JSON(name string, into any) error {
	if !in.Set(name) {
		return nil
	}
	return json.Unmarshal([]byte(in.Text(name)), into)
}

// HasBody implements commands.Input.
func (in *input) HasBody() bool {
	if in.body != nil {
		return true
	}
	for _, p := range in.op.Params {
		if len(p.Member) > 0 && in.Set(p.Name) {
			return true
		}
	}
	return false
}

// Body implements commands.Input. Flags take precedence over --body.
func (in *input) Body(into any) error {
	body := in.body
	if body == nil && !in.op.HasMembers() {
		return usagef("%s %s needs --body", in.op.Group, in.op.Name)
	}
	if body == nil {
		body = jsontree.Object()
	}
	for _, p := range in.op.Params {
		if len(p.Member) == 0 || !in.Set(p.Name) {
			continue
		}
		v, err := memberValue(&p, in.values[p.Name])
		if err != nil {
			return err
		}
		at := body
		for _, name := range p.Member[:len(p.Member)-1] {
			if !at.Get(name).IsObject() {
				at.Set(name, jsontree.Object())
			}
			at = at.Get(name)
		}
		at.Set(p.Member[len(p.Member)-1], v)
	}
	return json.Unmarshal(body.Append(nil, ""), into)
}

// memberValue returns a member of the body.
func memberValue(p *commands.Param, values []string) (*jsontree.Value, error) {
	one := func(text string) (*jsontree.Value, error) {
		switch p.Kind {
		case "int", "float", "bool", "number", "json":
			return jsontree.Parse([]byte(text))
		}
		return jsontree.String(text), nil
	}
	if !p.List {
		return one(values[len(values)-1])
	}
	return jsontree.Of(values)
}

// unknownMembers returns a warning for each member of a body that the operation
// does not declare. The API may know it all the same.
func (in *input) unknownMembers() []string {
	var known, warnings []string
	for _, p := range in.op.Params {
		if len(p.Member) > 0 {
			known = append(known, p.Member[0])
		}
	}
	if in.body == nil {
		return nil
	}
	for _, m := range in.body.Members {
		if n := nearest(m.Name, known); n != m.Name {
			warnings = append(warnings, fmt.Sprintf("the body's member %q is not known%s", printable(m.Name), didYouMean(m.Name, "", known)))
		}
	}
	return warnings
}

// checkValue reports why a text is not a value of a parameter.
func checkValue(p *commands.Param, s string) error {
	var err error
	want := ""
	switch p.Kind {
	case "enum":
		for _, v := range p.Values {
			if v == s {
				return nil
			}
		}
		return unknownValue(s, p.Values)
	case "int":
		_, err = strconv.ParseInt(s, 10, 32)
		want = "a whole number"
	case "float", "number", "decimal":
		if _, err = strconv.ParseFloat(s, 64); err == nil {
			_, err = jsontree.Parse([]byte(s))
		}
		want = "a number, such as 12.50"
	case "bool":
		if s != "true" && s != "false" {
			err = errors.New("not a bool")
		}
		want = "true or false"
	case "date":
		_, err = time.Parse(time.DateOnly, s)
		want = "a date, such as 2031-05-31"
	case "month":
		_, err = time.Parse("2006-01", s)
		want = "a month, such as 2031-05"
	case "datetime":
		_, err = time.Parse(time.RFC3339, s)
		want = "a time, such as 2031-05-31T09:00:00Z"
	case "json":
		_, err = jsontree.Parse([]byte(s))
		want = "JSON"
	}
	if err != nil {
		return fmt.Errorf("%q is not %s", printable(s), want)
	}
	return nil
}

// paramFlag is the flag of a parameter.
type paramFlag struct {
	param *commands.Param
	in    *input
}

func (f *paramFlag) String() string { return "" }

// Type implements pflag.Value: what help shows in place of the value.
func (f *paramFlag) Type() string {
	switch f.param.Kind {
	case "enum":
		if len(f.param.Values) <= 3 {
			return strings.Join(f.param.Values, "|")
		}
		return "value"
	case "text":
		if strings.HasSuffix(f.param.Name, "-id") || f.param.Name == "id" {
			return "ID"
		}
		return "text"
	case "json":
		return "JSON"
	}
	return f.param.Kind
}

// Set implements pflag.Value.
func (f *paramFlag) Set(s string) error {
	if err := checkValue(f.param, s); err != nil {
		return err
	}
	if !f.param.List {
		f.in.values[f.param.Name] = nil
	}
	f.in.values[f.param.Name] = append(f.in.values[f.param.Name], s)
	return nil
}

// openFiles opens the files of an upload. The returned function closes them.
func (in *input) openFiles() (closeAll func(), err error) {
	var open []io.Closer
	closeAll = func() {
		for _, c := range open {
			c.Close()
		}
	}
	for _, p := range in.op.Params {
		if p.Kind != "file" || !in.Set(p.Name) {
			continue
		}
		name := in.Text(p.Name)
		f, err := os.Open(name)
		if err != nil {
			closeAll()
			return nil, err
		}
		open = append(open, f)
		file := transport.File{Name: filepath.Base(name), Content: f, ContentType: contentType(name)}
		if info, err := f.Stat(); err == nil {
			file.Size = info.Size()
		}
		in.files[p.Name] = file
	}
	return closeAll, nil
}

// contentType returns the media type of a file by its name, or "".
func contentType(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".pdf":
		return "application/pdf"
	case ".csv":
		return "text/csv"
	}
	return ""
}

// maxBody is the largest request body that basiq reads.
const maxBody = 32 << 20

// readBody reads a JSON body: from stdin (-), from a file (@name), or from the
// text itself.
func (a *app) readBody(op *commands.Operation, spec string) (*jsontree.Value, error) {
	data, where := []byte(spec), "--body"
	if spec == "@-" { // as for curl
		spec = "-"
	}
	if spec == "-" || strings.HasPrefix(spec, "@") {
		r := a.in
		where = "stdin"
		if name, ok := strings.CutPrefix(spec, "@"); ok {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			r, where = f, printable(name)
		}
		var err error
		if data, err = io.ReadAll(io.LimitReader(r, maxBody+1)); err != nil {
			return nil, err
		}
		if len(data) > maxBody {
			return nil, usagef("the body in %s is larger than %d MiB", where, maxBody>>20)
		}
	}
	body, err := jsontree.Parse(data)
	if err != nil {
		line := ""
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = fmt.Sprintf(" line %d", 1+bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n")))
		}
		return nil, usagef("the body in %s%s is not JSON: %v; name a file with @file, or - for stdin", where, line, err)
	}
	if !body.IsObject() && op.HasMembers() {
		return nil, usagef("the body in %s is not a JSON object", where)
	}
	return body, nil
}
