package kappa_test

import (
	"context"
	"fmt"
	"os"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/kappa"
)

// From an event on the log to an answer: all of Kappa in one process.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log, end := exampleLog(ctx)
	defer end()

	cfg := kappa.DefaultConfig()
	cfg.Log = log
	must(kappa.CreateTopics(ctx, log, 1, cfg.ViewName()))
	serving, err := kappa.NewServing(ctx, cfg)
	must(err)
	ended := make(chan error, 2)
	go func() { ended <- serving.Run(ctx) }()
	go func() { ended <- kappa.Process(ctx, cfg) }()

	appendReading(ctx, log, event.CarSensor{CarID: "car-1", Seq: 0, EventTime: 1_000, Speed: 20})
	appendReading(ctx, log, event.CarSensor{CarID: "car-1", Seq: 1, EventTime: 2_000, Speed: 30})

	// Wait until the reading with a seq above 0 is visible.
	answer, _ := serving.Latest(ctx, "car-1", 0, httpapi.Merged)
	window := answer.Window
	fmt.Println(answer.Version, window.CarID, window.Readings, window.SpeedMean(), window.SpeedMax)

	stop()
	must(<-ended)
	must(<-ended)
	// Output: v1 car-1 2 25 30
}

// exampleLog is an embedded broker in a folder of its own, with an empty input.
func exampleLog(ctx context.Context) (*eventlog.Log, func()) {
	dir, err := os.MkdirTemp("", "kappa-example-")
	must(err)
	broker, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: dir})
	must(err)
	log, err := eventlog.Open(ctx, eventlog.Config{
		Brokers: []string{broker.Addr()}, Registry: broker.RegistryURL(),
	})
	must(err)
	must(log.CreateTopics(ctx, eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: 1}))
	return log, func() {
		must(log.Close())
		must(broker.Close())
		must(os.RemoveAll(dir))
	}
}

func appendReading(ctx context.Context, log *eventlog.Log, e event.CarSensor) {
	id, err := log.RegisterSchema(ctx, event.Subject, event.Schema)
	must(err)
	value, err := event.NewEncoder(id).Append(nil, &e)
	must(err)
	_, err = log.Append(ctx, eventlog.CarsTopic, 0, []eventlog.Record{
		{AppendTime: e.EventTime, Key: []byte(e.CarID), Value: value},
	})
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
