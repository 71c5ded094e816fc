// Command alldomains makes one call with the client of all domains.
package main

import (
	"context"
	"fmt"

	"github.com/basiq-sdk/basiq-go"
)

func main() {
	client, err := basiq.NewClient(basiq.WithBaseURL("http://localhost"), basiq.WithAPIKey("key"))
	if err != nil {
		panic(err)
	}
	user, err := client.Core.Users.Get(context.Background(), "a-user")
	if err != nil {
		panic(err)
	}
	fmt.Println(user.Email)
}
