package transport

// Safety is an operation's repeat-safety class: when the same request may be
// sent again without doing harm.
type Safety uint8

// Repeat-safety classes.
const (
	// SafetyRead (class A) changes nothing: repeat on any transient failure.
	SafetyRead Safety = iota
	// SafetyIdempotent (class B) does the same however often it is sent.
	SafetyIdempotent
	// SafetyWrite (class C) may be repeated only when it was provably not
	// executed: it was never sent, or was refused with 429, or a 403 that says
	// the same.
	SafetyWrite
	// SafetyUnrepeatable (class D) can double a record, a charge or a bank
	// login: it may be repeated only when it was provably never sent.
	SafetyUnrepeatable
)

// String returns the class's letter.
func (s Safety) String() string {
	const letters = "ABCD"
	if int(s) < len(letters) {
		return letters[s : s+1]
	}
	return "?"
}

// Scope is the kind of credential that an operation is called with.
type Scope uint8

// Scopes of an operation.
const (
	ScopeServer Scope = iota // a SERVER_ACCESS token
	ScopeClient              // a CLIENT_ACCESS token bound to a user
	ScopeKey                 // the API key itself
	ScopeNone                // no credential
)

var scopeNames = [...]string{"SERVER_ACCESS", "CLIENT_ACCESS", "API key", "no credential"}

// String returns the scope as the API writes it, "SERVER_ACCESS" or
// "CLIENT_ACCESS"; "API key" or "no credential" for the others.
func (s Scope) String() string {
	if int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return "?"
}

// Operation describes an operation of the API. Generated code has one for
// every method.
type Operation struct {
	ID       string // "core.Users.Create": the name in errors
	Upstream string // operationId in Basiq's description: "createUser"
	Method   string // HTTP method
	Path     string // template: "/users/{userId}"
	Accept   string // media type asked for; "" means application/json
	Safety   Safety
	Scope    Scope
	Success  []int // documented success statuses
}
