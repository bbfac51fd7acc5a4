package qtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Monitor is a connection to QEMU's QMP socket.
type Monitor struct {
	mu         sync.Mutex
	connection net.Conn
	decoder    *json.Decoder
}

// NewMonitor takes over a connection to QEMU's QMP socket.
func NewMonitor(connection net.Conn) (*Monitor, error) {
	m := &Monitor{connection: connection, decoder: json.NewDecoder(connection)}
	var greeting struct{ QMP json.RawMessage }
	if err := m.decode(&greeting); err != nil || greeting.QMP == nil {
		return nil, errors.Join(fmt.Errorf("qmp: no greeting: %w", err), connection.Close())
	}
	if err := m.Do("qmp_capabilities", nil, nil); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return m, nil
}

// Close closes the connection.
func (m *Monitor) Close() error { return m.connection.Close() }

func (m *Monitor) decode(value any) error {
	if err := m.connection.SetReadDeadline(time.Now().Add(answerMax)); err != nil {
		return err
	}
	return m.decoder.Decode(value)
}

// Do runs a command and puts what it returns into result, when that is not nil.
func (m *Monitor) Do(command string, arguments map[string]any, result any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	question := map[string]any{"execute": command}
	if arguments != nil {
		question["arguments"] = arguments
	}
	if err := json.NewEncoder(m.connection).Encode(question); err != nil {
		return fmt.Errorf("qmp: %s: %w", command, err)
	}
	for {
		var answer struct {
			Event  string
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := m.decode(&answer); err != nil {
			return fmt.Errorf("qmp: %s: %w", command, err)
		}
		switch {
		case answer.Event != "": // between question and answer: nobody waits for one
		case answer.Error != nil:
			return fmt.Errorf("qmp: %s: %s", command, answer.Error.Desc)
		case result != nil:
			return json.Unmarshal(answer.Return, result)
		default:
			return nil
		}
	}
}

// Continue starts a machine that was made with -S.
func (m *Monitor) Continue() error { return m.Do("cont", nil, nil) }

// Ask is what QEMU's monitor for people answers.
func (m *Monitor) Ask(question string) (answer string, err error) {
	err = m.Do("human-monitor-command", map[string]any{"command-line": question}, &answer)
	return answer, err
}

// Quit ends QEMU at once. That its answer may be lost is no error.
func (m *Monitor) Quit() { _ = m.Do("quit", nil, nil) }

// Link plugs the cable of a network device in or out.
func (m *Monitor) Link(device string, up bool) error {
	return m.Do("set_link", map[string]any{"name": device, "up": up}, nil)
}

// Find is the path of the only part of a type in the machine, as "pl061".
func (m *Monitor) Find(kind string) (string, error) {
	var found []string
	// Parts that the board itself has lie one below the other without a name; none is deeper.
	for _, parent := range []string{"/machine", "/machine/unattached", "/machine/peripheral"} {
		var children []struct{ Name, Type string }
		if err := m.Do("qom-list", map[string]any{"path": parent}, &children); err != nil {
			return "", err
		}
		for _, child := range children {
			if child.Type == "child<"+kind+">" {
				found = append(found, parent+"/"+child.Name)
			}
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("qmp: the machine has %d parts of type %s: %s", len(found), kind, strings.Join(found, ", "))
	}
	return found[0], nil
}

// Picture is what the machine's display shows. What a program paints gets there in the kernel's own time: look until it is as it shall be.
func (m *Monitor) Picture() (image.Image, error) {
	dir, err := os.MkdirTemp("", "picture-")
	if err != nil {
		return nil, fmt.Errorf("qmp: picture: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "panel.png")
	// QEMU 7.1 and later write PNG.
	if err := m.Do("screendump", map[string]any{"filename": path, "format": "png"}, nil); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("qmp: picture: %w", err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("qmp: picture: %w", err)
	}
	return picture, nil
}
