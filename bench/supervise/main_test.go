package supervise

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"
)

// helperEnv makes this test binary play a component, so that the supervisor is tested against
// real processes that do what it must be able to stand.
const helperEnv = "SUPERVISE_TEST_COMPONENT"

func TestMain(m *testing.M) {
	if role := os.Getenv(helperEnv); role != "" {
		playComponent(role)
		return
	}
	os.Exit(m.Run())
}

func playComponent(role string) {
	switch role {
	case "steady": // until its stdin ends
		fmt.Println(`{"event":"listening","addr":"127.0.0.1:1"}`)
		fmt.Println(`{"event":"ready","n":7}`)
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "dies": // when it is told to, with a last word
		fmt.Println(`{"event":"ready"}`)
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Fprintln(os.Stderr, "the disk is on fire")
		os.Exit(1)
	case "unready": // ends before it was ready
		fmt.Fprintln(os.Stderr, "port 9092 is in use")
		os.Exit(1)
	case "stubborn": // does not care that its stdin has ended
		fmt.Println(`{"event":"ready"}`)
		select {}
	case "brief": // does its work and ends
		fmt.Println("not a fact")
		fmt.Println(`{"event":"published","events":3}`)
	}
}
