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

// tokenVersion is the prefix of the resume tokens of this version.
const tokenVersion = "basiq-job-1."

// maxToken is the maximum length of a resume token, in bytes.
const maxToken = 8 << 10

// ErrResumeToken means that a string is not a valid resume token.
var ErrResumeToken = errors.New("basiq: invalid resume token")

// resumeToken is the content of a resume token.
type resumeToken struct {
	Job      string   `json:"j"`
	User     string   `json:"u,omitempty"`
	Answered []string `json:"a,omitempty"`
	Existing bool     `json:"e,omitempty"`
}

// Token returns a resume token, with which another process can continue
// waiting; see [Client.ResumeJob]. It contains IDs and which questions were
// answered, but no credentials and no answers. Call Token again after a
// question was answered.
func (j *Job) Token() string {
	if j == nil || j.jobState == nil {
		return ""
	}
	j.mu.Lock()
	r := resumeToken{Job: j.id, User: j.userID, Answered: j.answered, Existing: j.existing}
	data, err := json.Marshal(r)
	j.mu.Unlock()
	if err != nil { // a struct of strings and a bool always encodes
		panic(err)
	}
	body := base64.RawURLEncoding.EncodeToString(data)
	return fmt.Sprintf("%s%s.%08x", tokenVersion, body, crc32.ChecksumIEEE([]byte(body)))
}

// ResumeJob returns a handle for the job of a resume token. It fails with
// [ErrResumeToken] if the token is invalid, was truncated, or was created by an
// incompatible version of this package.
func (c *Client) ResumeJob(token string) (*Job, error) {
	r, err := parseResumeToken(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResumeToken, err)
	}
	return &Job{&jobState{client: c, id: r.Job, userID: r.User, answered: r.Answered, existing: r.Existing}}, nil
}

func parseResumeToken(token string) (*resumeToken, error) {
	if len(token) > maxToken {
		return nil, errors.New("it is too long")
	}
	rest, ok := strings.CutPrefix(token, tokenVersion)
	if !ok {
		if strings.HasPrefix(token, "basiq-job-") {
			return nil, errors.New("it was made by an incompatible version of this package: use Client.Job with the job's ID")
		}
		return nil, fmt.Errorf("its prefix is not %q", tokenVersion)
	}
	body, sum, _ := strings.Cut(rest, ".")
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) != sum {
		return nil, errors.New("its checksum does not match: it was changed or truncated")
	}
	data, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("it is not valid base64")
	}
	var r resumeToken
	if err := json.Unmarshal(data, &r); err != nil || !utf8.Valid(data) {
		return nil, errors.New("its content cannot be decoded")
	}
	if r.Job == "" {
		return nil, errors.New("it contains no job ID")
	}
	if len(r.Answered) > maxAnswered {
		return nil, fmt.Errorf("it contains more than %d answered questions", maxAnswered)
	}
	return &r, nil
}
