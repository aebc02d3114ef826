package eventlog

// A Record is one entry of a partition.
type Record struct {
	Offset     int64
	AppendTime int64 // Unix ms: the record's CreateTime, see IntendedHeader
	Key, Value []byte
	Headers    []Header
}

// A Header is one record header.
type Header struct {
	Key   string
	Value []byte
}

// Header returns the value of the first header of that key; nil when there is none.
func (r *Record) Header(key string) []byte {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value
		}
	}
	return nil
}
