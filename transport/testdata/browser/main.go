// Program browser makes a few calls with the default client, for
// TestDefaultClientInABrowser.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

func main() {
	c, err := transport.New(transport.WithAPIKey("the-key"), transport.WithBaseURL(os.Getenv("BASE_URL")), transport.WithoutRetry())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/plain", "/zipped", "/elsewhere"} {
		var out value.JSON
		err := c.Call(context.Background(), "GET", path, nil, &out)
		fmt.Println(path, out, err)
	}
	op := transport.Operation{ID: "test.Things.Create", Method: "POST", Path: "/things", Safety: transport.SafetyUnrepeatable}
	req := transport.NewRequest(&op)
	req.SetHeader("Idempotency-Key", "k-1")
	var out value.JSON
	err = c.Do(context.Background(), req, &out)
	fmt.Println("/things", out, err)
	fmt.Println(c.Close())
}
