package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"lambdakappa/internal/eventlog"
)

// Config says what to run and where.
type Config struct {
	Dir  string // data and logs of the nodes, and what is known of them; created when missing
	Jars string // folder with Kafka's jars
	Java string // program; "" is the one in JAVA_HOME, or else on the PATH

	Nodes   int // voters: each is broker and controller. 3 outlive the loss of any one of them
	Port    int // of the first node, the others follow it; 0 takes free ones
	HeapMiB int // of each node

	// Properties are settings of every node beside its own (server.properties), which they replace.
	Properties map[string]string

	// Tiered gives the cluster a second tier, a folder, for closed segments of topics that have
	// remote.storage.enable: Kafka's own LocalTieredStorage, which its tests and its quick start use.
	Tiered bool

	// Links has the nodes reach each other over links that this process carries until it stops the cluster,
	// and that can be cut (links.go). Detached nodes have none.
	Links bool

	// Security is how this process is trusted by the nodes, where Properties have them ask for it.
	Security eventlog.Security

	// Detached nodes outlive this process, and any other one can find them by Dir. Others die with it.
	Detached bool
}

// DefaultConfig is three nodes on free ports that end with this process, without Dir and Jars.
func DefaultConfig() Config { return Config{Nodes: 3, HeapMiB: 512} }

// ErrNoKafka says that there is no Kafka to run on this machine: no jars, or no Java.
var ErrNoKafka = errors.New("no Apache Kafka here")

func (c Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("dir: give the folder for the nodes' data")
	case c.Nodes < 1:
		return fmt.Errorf("nodes %d: must be at least 1", c.Nodes)
	case c.Port < 0 || c.Port+2*c.Nodes > maxPort:
		return fmt.Errorf("port %d: must leave room below %d for two ports a node", c.Port, maxPort)
	case c.Links && c.Detached:
		return errors.New("links: end with this process, and detached nodes do not")
	case c.HeapMiB < 128:
		return fmt.Errorf("heap %d MiB: a node needs at least 128", c.HeapMiB)
	}
	jars, err := filepath.Glob(filepath.Join(c.Jars, "kafka_2.13-*.jar"))
	if err != nil || len(jars) == 0 {
		return fmt.Errorf("%w: no kafka_2.13-*.jar in %q; make kafka-jars fetches them with Maven, "+
			"or give the libs folder of a release of Apache Kafka", ErrNoKafka, c.Jars)
	}
	if tier, err := filepath.Glob(filepath.Join(c.Jars, "kafka-storage-*-test.jar")); c.Tiered && len(tier) == 0 {
		return errors.Join(fmt.Errorf("tiered: no kafka-storage-*-test.jar in %q, which holds the tier that Kafka "+
			"brings; make kafka-jars fetches it", c.Jars), err)
	}
	return nil
}

const maxPort = 65535

// java is the program that runs a node.
func (c Config) java() (string, error) {
	name := c.Java
	if home := os.Getenv("JAVA_HOME"); name == "" && home != "" {
		name = filepath.Join(home, "bin", "java")
	}
	if name == "" {
		name = "java"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: no Java to run it (%w); install version 17 or later, or set JAVA_HOME",
			ErrNoKafka, err)
	}
	return path, nil
}

// jvm are the arguments of a Java program of Kafka's.
func (c Config) jvm(heapMiB int, main string, args ...string) []string {
	all := []string{
		fmt.Sprintf("-Xmx%dm", heapMiB),
		"-Dlog4j2.configurationFile=" + c.log4j(),
		"-cp", filepath.Join(c.Jars, "*"),
	}
	return append(append(all, main), args...)
}

func (c Config) log4j() string { return filepath.Join(c.Dir, "log4j2.yaml") }

// absolute makes the folders good for any working directory.
func (c Config) absolute() (Config, error) {
	var errs []error
	for _, dir := range []*string{&c.Dir, &c.Jars} {
		if *dir == "" {
			continue // and is refused
		}
		path, err := filepath.Abs(*dir)
		errs = append(errs, err)
		*dir = path
	}
	// The class path is a list, and Java takes no quotes in it.
	if strings.ContainsRune(c.Jars, filepath.ListSeparator) {
		errs = append(errs, fmt.Errorf("jars %q: Java takes no %q in a folder's name on %s",
			c.Jars, filepath.ListSeparator, runtime.GOOS))
	}
	return c, errors.Join(errs...)
}
