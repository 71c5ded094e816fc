package basiq

import "errors"

// The errors of jobs and MFA are encoded as the text of Error, and not at all by gob.
// Otherwise encoding/xml and encoding/gob would encode their exported fields, which may
// contain personal data.

// errGob is the error of encoding an error of a job with gob.
var errGob = errors.New("basiq: errors cannot be encoded with gob: encode the result of Error instead")

// MarshalText returns the text of Error, for encodings such as XML and YAML.
func (e JobError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode returns an error. Encode the result of Error instead.
func (e JobError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text of Error, for encodings such as XML and YAML.
func (e JobsError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode returns an error. Encode the result of Error instead.
func (e JobsError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text of Error, for encodings such as XML and YAML.
func (e WaitError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode returns an error. Encode the result of Error instead.
func (e WaitError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text of Error, for encodings such as XML and YAML.
func (e MFARequiredError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode returns an error. Encode the result of Error instead.
func (e MFARequiredError) GobEncode() ([]byte, error) { return nil, errGob }

// MarshalText returns the text of Error, for encodings such as XML and YAML.
func (e MFAError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode returns an error. Encode the result of Error instead.
func (e MFAError) GobEncode() ([]byte, error) { return nil, errGob }
