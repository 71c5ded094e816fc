package basiq

import (
	"net/url"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/core"
)

// linkedID returns the ID that follows the name of a collection ("users",
// "connections" or "reports") in the links of a job. The job's own source link
// takes precedence over the links of its steps. It returns "" if there is none.
func linkedID(job *core.Job, collection string) string {
	if job == nil {
		return ""
	}
	var links []string
	if job.Links != nil {
		links = append(links, job.Links.Source, job.Links.Link)
	}
	for _, link := range append(links, stepLinks(job)...) {
		if id := pathID(link, collection); id != "" {
			return id
		}
	}
	return ""
}

// stepLinks returns the links in the results of the steps.
func stepLinks(job *core.Job) []string {
	if job == nil {
		return nil
	}
	var links []string
	for i := range job.Steps {
		if link, ok := job.Steps[i].Result.Link(); ok && link.URL != "" {
			links = append(links, link.URL)
		}
	}
	return links
}

// pathID returns the path segment after the name of a collection in a link. It
// does not use url.Parse, because the API does not escape the filters in links.
func pathID(link, collection string) string {
	link, _, _ = strings.Cut(link, "?")
	link, _, _ = strings.Cut(link, "#")
	if _, rest, ok := strings.Cut(link, "://"); ok {
		_, link, _ = strings.Cut(rest, "/")
	}
	segments := strings.Split(link, "/")
	i := slices.Index(segments, collection)
	if i < 0 || i+1 >= len(segments) {
		return ""
	}
	id, err := url.PathUnescape(segments[i+1])
	if err != nil || collection == "connections" && id == "refresh" {
		return ""
	}
	return id
}
