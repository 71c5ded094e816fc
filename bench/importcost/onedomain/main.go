// Command onedomain makes one call with the client of one domain.
package main

import (
	"context"
	"fmt"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

func main() {
	client, err := transport.New(transport.WithBaseURL("http://localhost"), transport.WithAPIKey("key"))
	if err != nil {
		panic(err)
	}
	user, err := core.New(client).Users.Get(context.Background(), "a-user")
	if err != nil {
		panic(err)
	}
	fmt.Println(user.Email)
}
