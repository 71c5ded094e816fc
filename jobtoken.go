package basiq

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode/utf8"
)

// tokenVersion begins the resume tokens that this version writes.
const tokenVersion = "basiq-job-1."

// maxToken bounds a resume token that is read.
const maxToken = 8 << 10

// ErrResumeToken is the error of a text that is no resume token of a job.
var ErrResumeToken = errors.New("basiq: not a resume token")

// resumed is what a resume token holds.
type resumed struct {
	Job      string   `json:"j"`
	User     string   `json:"u,omitempty"`
	Answered []string `json:"a,omitempty"`
	Existing bool     `json:"e,omitempty"`
}

// Token returns a text with which another process can go on waiting: see
// Client.ResumeJob. It holds IDs and which questions were answered, and no
// credential and no answer. Take it again after an answer was given.
func (j *Job) Token() string {
	if j == nil || j.jobState == nil {
		return ""
	}
	j.mu.Lock()
	r := resumed{Job: j.id, User: j.userID, Answered: j.answered, Existing: j.existing}
	data, err := json.Marshal(r)
	j.mu.Unlock()
	if err != nil { // texts always encode
		panic(err)
	}
	body := base64.RawURLEncoding.EncodeToString(data)
	return fmt.Sprintf("%s%s.%08x", tokenVersion, body, crc32.ChecksumIEEE([]byte(body)))
}

// ResumeJob returns a handle on the job that a resume token is of. It fails
// with ErrResumeToken when the text is no such token, was cut off, or is of a
// version of this package that wrote another form.
func (c *Client) ResumeJob(token string) (*Job, error) {
	r, err := parseToken(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResumeToken, err)
	}
	return &Job{&jobState{client: c, id: r.Job, userID: r.User, answered: r.Answered, existing: r.Existing}}, nil
}

func parseToken(token string) (*resumed, error) {
	if len(token) > maxToken {
		return nil, errors.New("it is too long")
	}
	rest, ok := strings.CutPrefix(token, tokenVersion)
	if !ok {
		if strings.HasPrefix(token, "basiq-job-") {
			return nil, errors.New("another version of this package made it: begin anew with the job's ID")
		}
		return nil, errors.New("it does not begin as one")
	}
	body, sum, _ := strings.Cut(rest, ".")
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) != sum {
		return nil, errors.New("it was changed or cut off")
	}
	data, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("it is badly encoded")
	}
	var r resumed
	if err := json.Unmarshal(data, &r); err != nil || !utf8.Valid(data) {
		return nil, errors.New("its content cannot be read")
	}
	if r.Job == "" {
		return nil, errors.New("it names no job")
	}
	if len(r.Answered) > maxAnswered {
		return nil, errors.New("it names too many questions")
	}
	return &r, nil
}
