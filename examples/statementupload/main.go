// Command statementupload uploads a bank statement, and prints the transactions
// that Basiq extracts from it.
//
// Without an API key it uploads made-up statements to an in-memory fake server:
//
//	go run ./examples/statementupload
//
// If BASIQ_API_KEY is set, it uses the real API:
//
//	go run ./examples/statementupload -user USER -institution AU00001 july.pdf
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

func main() {
	user := flag.String("user", "", "user ID")
	institution := flag.String("institution", "", "institution ID")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *user, *institution, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, userID, institutionID, file string) error {
	if os.Getenv(basiq.EnvAPIKey) == "" {
		return simulated(ctx, out)
	}
	if userID == "" || institutionID == "" || file == "" {
		return errors.New("-user, -institution and a file are required")
	}
	client, err := basiq.NewClient()
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return upload(ctx, out, client, userID, basiq.Statement{InstitutionID: institutionID, Name: filepath.Base(file), Content: f}, basiq.WaitOptions{})
}

func upload(ctx context.Context, out io.Writer, client *basiq.Client, userID string, s basiq.Statement, wait basiq.WaitOptions) error {
	s.OnProgress = func(sent, total int64) {
		if sent == total {
			fmt.Fprintf(out, "sent %s, %d bytes\n", s.Name, total)
		}
	}
	result, err := client.UploadStatement(ctx, userID, s, wait)
	var failed *basiq.JobError
	if errors.As(err, &failed) {
		return fmt.Errorf("%s cannot be read: %s: %s\n%s", s.Name, failed.Code, failed.Detail, failed.Advice())
	}
	if err != nil {
		return err
	}
	for tx, err := range client.Transactions(ctx, userID, basiq.TransactionWindow{ConnectionID: result.ConnectionID()}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %-20s %10s\n", basiq.TransactionDay(tx, nil), tx.Description, tx.Amount.Format(2))
	}
	return nil
}

// simulated uploads two statements to the fake server. The second is invalid.
func simulated(ctx context.Context, out io.Writer) error {
	server, err := basiqtest.Start(basiqtest.WithNow(time.Date(2031, time.May, 6, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := basiq.NewClient(server.Options()...)
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	userID, err := server.AddUser("max@example.com")
	if err != nil {
		return err
	}
	wait := basiq.WaitOptions{Interval: time.Millisecond}
	for name, text := range statements {
		s := basiq.Statement{InstitutionID: basiqtest.ExampleBank, Name: name, Content: strings.NewReader(text)}
		if err := upload(ctx, out, client, userID, s, wait); err != nil {
			fmt.Fprintln(out, err)
		}
	}
	return nil
}

var statements = func(yield func(name, text string) bool) {
	_ = yield("april.csv", "date,description,amount\n2031-04-02,COFFEE,-4.50\n2031-04-15,SALARY,1900.00\n2031-04-16,RENT,-820.00\n") &&
		yield("may.csv", "date,description\n2031-05-02,COFFEE\n")
}
