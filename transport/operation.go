package transport

// Safety is the safety class of an operation. It says after which failures the
// operation may be retried.
type Safety uint8

// Safety classes.
const (
	// SafetyRead (class A) is for operations that change nothing. They are retried
	// after any transient failure.
	SafetyRead Safety = iota
	// SafetyIdempotent (class B) is for operations that have the same effect however
	// often they are executed.
	SafetyIdempotent
	// SafetyWrite (class C) is for other writes. They are retried only if they were
	// provably not executed: the request was never sent, or was rate-limited with
	// 429 or an equivalent 403.
	SafetyWrite
	// SafetyUnrepeatable (class D) is for operations that would duplicate a record,
	// a charge or a bank login. They are retried only if the request was provably
	// never sent.
	SafetyUnrepeatable
)

// String returns the letter of the class: "A", "B", "C" or "D".
func (s Safety) String() string {
	const letters = "ABCD"
	if int(s) < len(letters) {
		return letters[s : s+1]
	}
	return "?"
}

// Scope is the kind of credential with which an operation is called.
type Scope uint8

// Scopes of an operation.
const (
	ScopeServer   Scope = iota // a SERVER_ACCESS token
	ScopeClient                // a CLIENT_ACCESS token bound to a user
	ScopeKey                   // the API key itself
	ScopeNone                  // no credential
	ScopeDeclared              // credentials of the security schemes in the operation's Security
)

var scopeNames = [...]string{"SERVER_ACCESS", "CLIENT_ACCESS", "API key", "no credential", "bearer"}

// String returns the scope as the API writes it, "SERVER_ACCESS" or
// "CLIENT_ACCESS"; "API key", "no credential" or "bearer" for the others.
func (s Scope) String() string {
	if int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return "?"
}

// Operation describes an operation of the API. Generated code has one for each
// method.
type Operation struct {
	ID       string // "core.Users.Create": the name in errors
	Upstream string // operationId in Basiq's OpenAPI document: "createUser"
	Method   string // HTTP method
	Path     string // template: "/users/{userId}"
	Accept   string // value of the Accept header; "" means application/json
	Safety   Safety
	Scope    Scope
	Success  []int // documented success statuses

	// Server is set if the operation is not on the server of the client. A call must
	// then name the server itself, with WithBaseURL.
	Server string

	// Security holds the alternatives of ScopeDeclared. Each is a list of schemes that
	// are all used; an empty list means that no credential is needed.
	Security [][]Scheme
}
