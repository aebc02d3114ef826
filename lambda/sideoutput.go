package lambda

import (
	"strconv"

	"lambdakappa/internal/eventlog"
)

// sideRecord is the record of a side topic for an event of the input: its bytes as they came.
//
// The key is the event's place in the input. So a second writer, or the same one after a crash,
// may write it again: readers keep one record per key.
func sideRecord(partition int, r *eventlog.Record, reason, detail string) eventlog.Record {
	place := make([]byte, 0, 48)
	place = append(place, eventlog.CarsTopic+"/"...)
	place = strconv.AppendInt(place, int64(partition), 10)
	place = append(place, '/')
	place = strconv.AppendInt(place, r.Offset, 10)
	return eventlog.Record{
		AppendTime: r.AppendTime,
		Key:        place,
		Value:      r.Value,
		Headers: []eventlog.Header{
			{Key: "key", Value: r.Key},
			{Key: "reason", Value: []byte(reason)},
			{Key: "detail", Value: []byte(detail)},
		},
	}
}
