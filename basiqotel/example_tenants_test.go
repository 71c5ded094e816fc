package basiqotel_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqotel"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// tenants has a client for each tenant, which is made when it is first used.
type tenants struct {
	keys    map[string]string // API keys, by the name of the tenant
	address string
	metrics basiqotel.Option
	clients sync.Map
}

func (t *tenants) client(name string) (*basiq.Client, error) {
	make := sync.OnceValues(func() (*basiq.Client, error) {
		tenant := basiqotel.WithAttributes(attribute.String("tenant", name))
		return basiq.NewClient(basiq.WithAPIKey(t.keys[name]), basiq.WithBaseURL(t.address), basiqotel.Instrument(t.metrics, tenant))
	})
	client, _ := t.clients.LoadOrStore(name, make)
	return client.(func() (*basiq.Client, error))()
}

// A program for 50 tenants, each with an API key of its own. The metrics tell them apart.
func ExampleWithAttributes() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	reader := sdkmetric.NewManualReader()
	metrics := basiqotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))

	all := &tenants{keys: map[string]string{}, address: srv.URL, metrics: metrics}
	for i := range 50 {
		application, err := srv.AddApplication()
		if err != nil {
			log.Fatal(err)
		}
		all.keys[fmt.Sprintf("tenant-%02d", i)] = application.APIKey()
	}
	var wg sync.WaitGroup
	for name := range all.keys {
		wg.Go(func() {
			client, err := all.client(name)
			if err != nil {
				log.Fatal(err)
			}
			if _, err := client.Core.Users.Create(context.Background(), core.CreateUserParams{Email: "max@" + name + ".example.com"}); err != nil {
				log.Fatal(err)
			}
		})
	}
	wg.Wait()
	fmt.Println(callsOf(reader, "tenant-07"), "calls of tenant-07, and of", len(all.keys), "tenants")
	// Output: map[core.Users.Create:1 token:1] calls of tenant-07, and of 50 tenants
}

// callsOf returns how many calls a tenant made, by operation.
func callsOf(reader sdkmetric.Reader, tenant string) map[string]uint64 {
	var found metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &found); err != nil {
		log.Fatal(err)
	}
	calls := map[string]uint64{}
	for _, scope := range found.ScopeMetrics {
		for _, m := range scope.Metrics {
			histogram, ok := m.Data.(metricdata.Histogram[float64])
			if !ok || m.Name != "basiq.client.call.duration" {
				continue
			}
			for _, point := range histogram.DataPoints {
				if name, _ := point.Attributes.Value("tenant"); name.AsString() == tenant {
					operation, _ := point.Attributes.Value("basiq.operation")
					calls[operation.AsString()] += point.Count
				}
			}
		}
	}
	return calls
}
