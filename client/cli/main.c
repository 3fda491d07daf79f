/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/cli.h"
#include "edu/v1/edu_service.tables.h"

int main(int argc, char **argv)
{
	return (int)cli_main(&edu_service_desc, argc, argv);
}
