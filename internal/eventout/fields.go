package eventout

import (
	"reflect"

	"lambdakappa/event"
)

// A field is one field of an event.
type field struct {
	name  string
	kind  reflect.Kind // String, Int64, Int32 or Float32
	index int
}

// fields are those of an event, in its order.
var fields = fieldsOf(reflect.TypeFor[event.CarSensor]())

func fieldsOf(t reflect.Type) (all []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		all = append(all, field{f.Tag.Get("avro"), f.Type.Kind(), i})
	}
	return all
}
