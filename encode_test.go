package basiq_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// holder has an error in a field.
type holder struct{ E error }

// TestEncodedJobErrorsContainNoBankTexts checks that encoders write at most the text
// of Error, because texts from a bank may be personal.
func TestEncodedJobErrorsContainNoBankTexts(t *testing.T) {
	asked := &basiq.MFARequiredError{MFA: basiq.MFA{JobID: "j-1", Description: "CANARY", Prompts: []string{"CANARY"}}}
	failed := &basiq.JobError{JobID: "j-1", Title: "CANARY", Detail: "CANARY", Job: &core.Job{ID: "j-1", SourceID: "CANARY"}}
	for _, err := range []error{
		asked, failed, &basiq.MFAError{JobID: "j-1", Err: errors.New("a cause")}, &basiq.WaitError{JobID: "j-1", Err: asked, Last: failed},
		&basiq.JobsError{Total: 2, Errs: []error{failed, asked}},
	} {
		for name, encode := range map[string]func(any) ([]byte, error){
			"JSON": json.Marshal, "XML": xml.Marshal,
			"gob": func(v any) ([]byte, error) {
				var b bytes.Buffer
				err := gob.NewEncoder(&b).Encode(v)
				return b.Bytes(), err
			},
		} {
			for _, v := range []any{err, holder{err}} {
				text, failure := encode(v)
				if bytes.Contains(text, []byte("CANARY")) || name != "gob" && (failure != nil || !strings.Contains(string(text), "job j-1")) {
					t.Errorf("%s of a %T: got %s, error %v", name, v, text, failure)
				}
			}
		}
	}
}
