package basiq

import "errors"

// Errors of jobs are encoded as they are printed: encoding/xml and encoding/gob
// would otherwise show members that may be personal.

// errGob is why gob does not encode the errors of this package.
var errGob = errors.New("basiq: the error cannot be encoded by gob: encode what Error returns")

// MarshalText returns the text, for XML, YAML and their like.
func (e JobError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode fails: encode what Error returns.
func (e JobError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text, for XML, YAML and their like.
func (e WaitError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode fails: encode what Error returns.
func (e WaitError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text, for XML, YAML and their like.
func (e MFARequiredError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode fails: encode what Error returns.
func (e MFARequiredError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text, for XML, YAML and their like.
func (e MFAError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode fails: encode what Error returns.
func (e MFAError) GobEncode() ([]byte, error) { return nil, errGob }
