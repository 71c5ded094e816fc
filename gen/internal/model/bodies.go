package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// bodyForm is a media type in which a request body can be sent.
type bodyForm struct {
	spec.Node // the media type
	kind      Body
	media     string // what is sent as Content-Type, if not the encoding's own
}

// mediaBase returns a media type without its parameters, in lower case.
func mediaBase(name string) string {
	base, _, _ := strings.Cut(name, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// jsonMedia reports whether content of a media type is JSON. Any media type is, if its
// schema says that the content has a structure.
func jsonMedia(c spec.Node) bool {
	switch base := mediaBase(c.Name()); {
	case base == "application/json" || base == "text/json" || strings.HasSuffix(base, "+json"):
		return true
	case base == "*/*" || base == "application/*":
		schema := c.Get("schema").Deref()
		typ, _ := typeOf(schema)
		return schema.IsMap() && len(schema.Members()) > 0 && typ != "string"
	}
	return false
}

// formOf returns the form in which a media type is sent.
func formOf(c spec.Node) bodyForm {
	base := mediaBase(c.Name())
	schema := c.Get("schema").Deref()
	form := bodyForm{Node: c, media: c.Name()}
	switch {
	case jsonMedia(c):
		form.kind = BodyJSON
		if c.Name() == "application/json" || strings.Contains(base, "*") {
			form.media = ""
		}
	case base == "application/x-www-form-urlencoded":
		form.kind, form.media = BodyForm, ""
	case base == "multipart/form-data":
		form.kind, form.media = BodyMultipart, ""
	case strings.HasPrefix(base, "text/") && !strings.Contains(base, "*") && schema.Str("type") == "string" && schema.Str("format") != "binary":
		form.kind = BodyText
	default:
		form.kind = BodyContent
		if strings.Contains(base, "*") {
			form.media = ""
		}
	}
	return form
}

// bodyForms returns the forms of an operation's body that get a method each: first the
// one of the operation itself. Another form of the same schema says nothing new, and is
// reported instead, unless an overlay names a method for it.
func (b *builder) bodyForms(m *Method, body spec.Node) []bodyForm {
	var all []bodyForm
	for _, c := range body.Get("content").Members() {
		all = append(all, formOf(c))
	}
	rank := func(f bodyForm) int {
		order := slices.Index([]Body{BodyJSON, BodyForm, BodyMultipart, BodyText, BodyContent}, f.kind) * 2
		if f.media != "" {
			order++
		}
		return order
	}
	slices.SortStableFunc(all, func(x, y bodyForm) int { return cmp.Compare(rank(x), rank(y)) })
	var out []bodyForm
	for _, f := range all {
		same := slices.IndexFunc(out, func(o bodyForm) bool {
			return o.Get("schema").Deref().Same(f.Get("schema").Deref()) && (f.kind == BodyContent || o.kind != BodyContent)
		})
		if len(out) > 0 && same >= 0 && f.Str("x-method") == "" {
			a := b.warnf(f.Node, "unused-media", "%s also accepts %s, but is only sent as %s", m.Loc, f.Name(), out[same].description()).
				WithHint("remove the media type in an overlay, or name a method that sends it with x-method")
			if out[same].kind == BodyContent {
				a.WithHint("set ContentType of the content to send it, or remove the media type in an overlay")
			}
			continue
		}
		if f.kind == BodyContent && strings.HasPrefix(mediaBase(f.Name()), "multipart/") {
			b.warnf(f.Node, "not-generated", "the parts of %s as %s are not generated: its content has to be complete", m.Loc, f.Name()).
				WithHint("set ContentType of the content to the media type with its boundary, or remove it in an overlay")
		}
		out = append(out, f)
	}
	return out
}

func (f bodyForm) description() string {
	if f.media != "" {
		return f.media
	}
	return f.kind.description()
}

// suffix returns what the name of the method for a further form ends in.
func (f bodyForm) suffix() string {
	switch f.kind {
	case BodyForm:
		return "Form"
	case BodyMultipart:
		return "Multipart"
	}
	return cmp.Or(mediaSuffix(mediaBase(f.Name())), "Content")
}

// requestBody sets the body of a method. An object is the params struct itself, unless
// the method has other parameters, too. Any other body is a field of the params struct.
func (b *builder) requestBody(m *Method, op, body spec.Node, form bodyForm) {
	m.Body, m.BodyMedia = form.kind, form.media
	required := body.Bool("required")
	ctx := context{parent: m.Name + m.Resource.Name, name: "Params", request: true, multipart: form.kind == BodyMultipart}
	schema := form.Get("schema")
	switch target := schema.Deref(); {
	case target.Get("items").Exists():
		ctx.name = "Items"
	case target.Get("additionalProperties").IsMap() && !target.Get("properties").Exists():
		ctx.name = "Value"
	}
	var ref Ref
	switch form.kind {
	case BodyContent:
		ref = Ref{Prim: File}
	case BodyText:
		ref = Ref{Prim: String}
	default:
		ref = b.ref(schema, ctx)
	}
	object := ref.Prim == Named && ref.Type.Kind == Struct
	if !object && (form.kind == BodyForm || form.kind == BodyMultipart) {
		m.Body = BodyNone
		b.tolerate(form.Node, "cannot-express", "the body of %s is %s, but %s must be an object", m.Loc, ref.Go(), form.description()).
			WithHint("declare the body as an object in an overlay")
		return
	}
	if object {
		ref.Type.Request = true
		b.encodings(ref.Type, form)
		if m.Params == nil {
			m.Params = ref.Type
			return
		}
		m.BodyType = ref.Type
	}
	switch {
	case object:
		ref.Pointer = !required
	case !required && (ref.Prim == Bool || ref.Prim == Int || ref.Prim == Float):
		ref.Pointer = true
	}
	if m.Params == nil {
		m.Params = b.paramsType(m, op, " body", "Params", nil)
	}
	f := &Field{
		Name: "Body", Wire: "body", In: "body", Ref: ref, Required: required,
		Doc: "Body is the body of the request.", Pos: body.Pos(), Loc: m.Loc + " body",
	}
	if form.kind == BodyContent && form.media != "" {
		f.Doc = "Body is the body of the request, which is sent unchanged as " + form.media + "."
	}
	b.openSecret(f, form.Node)
	m.Params.Fields = append(m.Params.Fields, f)
}

// encodings applies the encodings of a form's fields.
func (b *builder) encodings(t *Type, form bodyForm) {
	for _, e := range form.Get("encoding").Members() {
		i := slices.IndexFunc(t.Fields, func(f *Field) bool { return f.Wire == e.Name() })
		if i < 0 || form.kind != BodyForm && form.kind != BodyMultipart {
			continue // OpenAPI requires that it is ignored
		}
		f := t.Fields[i]
		media := mediaBase(e.Str("contentType"))
		item := cmp.Or(f.Ref.Elem, &f.Ref)
		if !strings.ContainsAny(media, "*,") {
			f.PartType = media
		}
		if f.PartType != "" && !item.IsScalar() && item.Prim != File && f.PartType != "application/json" && !strings.HasSuffix(f.PartType, "+json") {
			b.tolerate(e, "cannot-express", "the field %q of %s is an object that is sent as %s, but only JSON is supported", f.Wire, form.Pointer(), f.PartType).
				WithHint("remove its encoding in an overlay, or make it a string")
		}
		if e.Get("headers").Exists() {
			b.warnf(e.Get("headers"), "not-generated", "the headers of the field %q are not sent", f.Wire).WithHint("remove them in an overlay")
		}
		style, explode := e.Str("style"), e.Get("explode").Text()
		if form.kind == BodyMultipart && style != "" {
			b.warnf(e, "not-generated", "the style of the field %q is ignored in a multipart form", f.Wire).WithHint("remove it in an overlay")
			style, explode = "", ""
		}
		switch {
		case style == "deepObject" && form.kind == BodyForm && !item.IsScalar():
			f.Style = StyleDeep
		case style == "form" && form.kind == BodyForm && !item.IsScalar() && explode != "false":
			f.Style, f.Explode = StyleForm, true
		case style != "" && style != "form" || explode == "false" && (f.Ref.Prim == List || !item.IsScalar()):
			b.tolerate(e, "cannot-express", "the field %q of %s has an encoding that cannot be generated: style %s, explode %s", f.Wire, form.Pointer(), cmp.Or(style, "form"), cmp.Or(explode, "true")).
				WithHint("remove its style and explode in an overlay")
		}
	}
}

// files makes the files of a struct strings, if it is not only sent as a multipart form.
// Such a form then sends the string as a file.
func (b *builder) files() {
	seen := map[*Type]bool{}
	other := map[*Type]bool{}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			if body := cmp.Or(m.BodyType, m.Params); body != nil && !body.Params {
				seen[body] = true
				other[body] = other[body] || m.Body != BodyMultipart
			}
		}
	}
	for t := range seen {
		for _, f := range t.Fields {
			item := &f.Ref
			for item.Elem != nil {
				item = item.Elem
			}
			simple := item == &f.Ref || f.Ref.Prim == List && item == f.Ref.Elem
			if item.Prim == File && (other[t] || t.HasJSON() || !simple) {
				item.Prim, f.Binary = String, true
			}
		}
	}
}
