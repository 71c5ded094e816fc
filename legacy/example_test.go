package legacy_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/legacy"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Create a connection with credentials, as long as the API still allows it.
func ExampleClient_Connect() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	old, err := legacy.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	defer old.Close()

	job, err := old.Connect(context.Background(), userID, legacy.Credentials{
		InstitutionID: basiqtest.Hooli,
		LoginID:       legacy.NewSecret(basiqtest.Gilfoyle.ID), // what the user entered
		Password:      legacy.NewSecret(basiqtest.Gilfoyle.Password),
	})
	if errors.Is(err, transport.ErrNotFound) {
		log.Fatal("the API has removed the operation: use Client.ConsentLink")
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.ID != "", job.Existing) // wait for it with basiq.Client.WaitForJob
	// Output: true false
}
