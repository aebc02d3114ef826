package redrive

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

const letters = "kappa.dead-letters"

// testLog is an embedded broker with input, dead letters and schemas; it returns their ids.
func testLog(t *testing.T) (*eventlog.Log, []uint32) {
	t.Helper()
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	log, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{b.Addr()}, Registry: b.RegistryURL()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	require.NoError(t, log.CreateTopics(t.Context(),
		eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: 2},
		eventlog.TopicSpec{Name: letters, Partitions: 2, Compacted: true}))
	ids, err := log.RegisterSchemas(t.Context(), event.Subject, event.Schemas[:]...)
	require.NoError(t, err)
	return log, ids
}

func payload(t *testing.T, ids []uint32, seq, at int64) []byte {
	t.Helper()
	value, err := event.NewEncoder(ids...).Append(nil, &event.CarSensor{CarID: "a", Seq: seq, EventTime: at})
	require.NoError(t, err)
	return value
}

// refuse puts a payload on the log and among the dead letters, as a side does.
func refuse(t *testing.T, log *eventlog.Log, partition int, value []byte) {
	t.Helper()
	r := eventlog.Record{AppendTime: 1000, Key: []byte("a"), Value: value}
	offset, err := log.Append(t.Context(), eventlog.CarsTopic, partition, []eventlog.Record{r})
	require.NoError(t, err)
	r.Key = []byte(place{partition, offset}.String())
	r.Headers = []eventlog.Header{{Key: "key", Value: []byte("a")}, {Key: "reason", Value: []byte("any")}}
	_, err = log.Append(t.Context(), letters, partition, []eventlog.Record{r, r}) // at least once
	require.NoError(t, err)
}

func run(t *testing.T, log *eventlog.Log, repairs ...string) Result {
	t.Helper()
	parsed, err := Parse(repairs)
	require.NoError(t, err)
	done, err := Run(t.Context(), Config{Log: log, Letters: letters, Repairs: parsed, Rules: event.DefaultRules()})
	require.NoError(t, err)
	return done
}

// Ensure that every repair does what it says and no more, that an event keeps its partition and its
// append time, and that each is re-driven once, whatever was re-driven before.
func TestRun(t *testing.T) {
	log, ids := testLog(t)
	wrong := []uint32{99, 99}
	refuse(t, log, 1, payload(t, wrong, 0, 900))
	refuse(t, log, 1, payload(t, ids, 1, 900_000)) // ahead
	refuse(t, log, 0, payload(t, ids, 2, 900)[headerBytes:])
	refuse(t, log, 1, append([]byte{7}, payload(t, wrong, 3, 900_000)[1:]...)) // all at once
	refuse(t, log, 1, []byte("nonsense"))
	refuse(t, log, 1, payload(t, ids, -4, 900))

	require.Equal(t, Result{Letters: 6, Left: map[event.Reason]int64{
		event.ReasonUnknownSchema: 1, event.ReasonFuture: 1, event.ReasonMalformed: 3, event.ReasonOutOfRange: 1,
	}}, run(t, log))
	require.Equal(t, Result{Letters: 6, Redriven: 1, Left: map[event.Reason]int64{
		event.ReasonUnknownSchema: 1, event.ReasonMalformed: 3, event.ReasonOutOfRange: 1,
	}}, run(t, log, "clock"))
	everything := []string{"schema=99:1", "header", "magic", "clock"}
	left := map[event.Reason]int64{event.ReasonMalformed: 1, event.ReasonOutOfRange: 1}
	require.Equal(t, Result{Letters: 6, Redriven: 3, Already: 1, Left: left}, run(t, log, everything...))
	require.Equal(t, Result{Letters: 6, Already: 4, Left: left}, run(t, log, everything...))

	type redriven struct {
		partition int
		seq, at   int64
		mark      string
	}
	var got []redriven
	decoder := event.NewDecoder(log)
	require.NoError(t, readTopic(t.Context(), log, eventlog.CarsTopic, nil, func(partition int, r *eventlog.Record) error {
		if mark := r.Header(Header); mark != nil {
			var e event.CarSensor
			require.NoError(t, decoder.Decode(r.Key, r.Value, &e))
			require.EqualValues(t, 1000, r.AppendTime)
			require.Equal(t, "1000000000", string(r.Header(eventlog.IntendedHeader)))
			got = append(got, redriven{partition, e.Seq, e.EventTime, string(mark)})
		}
		return nil
	}))
	require.Equal(t, []redriven{
		{0, 2, 900, "cars/0/0"}, {1, 1, 1000, "cars/1/1"}, {1, 0, 900, "cars/1/0"}, {1, 3, 1000, "cars/1/2"},
	}, got)
}

// Ensure that a letter whose schema was registered meanwhile needs no repair, and that what is sent
// again can be read by those who did not know the schema.
func TestSchemaThatCameLater(t *testing.T) {
	log, ids := testLog(t)
	later := ids[len(ids)-1] + 1
	refuse(t, log, 0, payload(t, []uint32{later}, 0, 900))
	require.EqualValues(t, 1, run(t, log).Left[event.ReasonUnknownSchema])
	text := strings.Replace(event.Schemas[0], `"name"`, `"doc": "later", "name"`, 1)
	id, err := log.RegisterSchema(t.Context(), "somebody-elses", text)
	require.NoError(t, err)
	require.Equal(t, later, id)
	require.EqualValues(t, 1, run(t, log).Redriven)
}

// Ensure that a repair that nobody knows is refused with what there is.
func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse([]string{text})
		assert.EqualError(t, err, want)
	}
	f("schema=99", `repair "schema=99": takes schema=WRONG:RIGHT, two schema ids such as schema=99:1`)
	f("schema=-1:1", `repair "schema=-1:1": takes schema=WRONG:RIGHT, two schema ids such as schema=99:1`)
	f("clock=1s", `repair "clock=1s": is none of schema=WRONG:RIGHT, header, magic, clock`)
	_, err := parsePlace("cars/0")
	require.EqualError(t, err, `dead letter "cars/0": is not the place of an event, such as cars/0/17`)
}
