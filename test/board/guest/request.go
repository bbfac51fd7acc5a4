//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"freizeichen/test/board/rig/wire"
)

// obey carries out requests, each in its own goroutine: a program may run for long.
func obey(link *link, service *service) error {
	decoder := json.NewDecoder(link.port)
	for {
		var request wire.Request
		if err := decoder.Decode(&request); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		go func() {
			reply := wire.Reply{ID: request.ID}
			if err := do(service, request, &reply); err != nil {
				reply.Error = err.Error()
			}
			link.send(wire.Message{Reply: &reply})
		}()
	}
}

func do(service *service, request wire.Request, reply *wire.Reply) (err error) {
	path := request.Path
	if strings.Contains(path, "PID") {
		pid := service.pid()
		if pid == 0 {
			return errors.New("the program does not run")
		}
		path = strings.ReplaceAll(path, "PID", strconv.Itoa(pid))
	}
	switch request.Do {
	case wire.Run:
		c := command(request.Program)
		reply.Output, err = c.CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			reply.Code, err = exit.ExitCode(), nil
		}
		return err
	case wire.Signal:
		return service.signal(request.Number)
	case wire.Start:
		return service.start()
	case wire.Read:
		reply.Output, err = os.ReadFile(path)
		return err
	case wire.Write:
		return os.WriteFile(path, request.Data, 0o644)
	case wire.Glob:
		found, err := filepath.Glob(path)
		reply.Output = []byte(strings.Join(found, "\n"))
		return err
	case wire.Off:
		end()
	}
	return fmt.Errorf("no request is called %q", request.Do)
}
