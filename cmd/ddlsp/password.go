package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// readPassword reads a line from a terminal without echo.
func readPassword(in io.Reader, echo io.Writer) (string, error) {
	f, ok := in.(*os.File)
	if !ok {
		return "", errors.New("there is no terminal to ask at")
	}
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(echo)
	if err != nil {
		return "", err
	}
	if len(text) == 0 {
		return "", errors.New("none was given")
	}
	return string(text), nil
}
