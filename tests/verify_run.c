/* The workers: processes, for the ISA in use is the process's. */
#define _GNU_SOURCE
#include "tests/verify.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct job {
    const struct pass *pass;
    int slice;
};

static struct {
    _Atomic int next, finished;
} * shared;

static struct job *jobs;
static int job_count;

static int incomplete(const struct pass *pass, int slice)
{
    for (int i = 0; i < 2 * plan.isa_count; i++) {
        const struct record *r = record_of(pass, slice, i / 2, i % 2);
        if (r->wanted && !r->done)
            return 1;
    }
    return 0;
}

static void list_jobs(void)
{
    size_t most = 0;
    for (int p = 0; p < plan.pass_count; p++)
        most += (size_t)plan.passes[p].slices;
    jobs = calloc(most, sizeof *jobs);
    if (!jobs)
        exit(2);
    for (int p = 0; p < plan.pass_count; p++)
        for (int slice = 0; slice < plan.passes[p].slices; slice++)
            if (incomplete(&plan.passes[p], slice))
                jobs[job_count++] = (struct job){&plan.passes[p], slice};
    printf("%d of %zu slices to compute\n", job_count, most);
    fflush(stdout);
}

static void work(FILE *state)
{
    for (int j; (j = shared->next++) < job_count;) {
        const struct job *job = &jobs[j];
        run_slice(job->pass, job->slice);
        if (failures) /* a call that did not take */
            _exit(1);
        for (int i = 0; i < 2 * plan.isa_count; i++) {
            struct record *r = record_of(job->pass, job->slice, i / 2, i % 2);
            if (!r->wanted || r->done)
                continue;
            r->time = (int64_t)time(NULL);
            r->done = 1;
            save_record(state, job->pass, job->slice, i / 2, i % 2);
        }
        shared->finished++;
    }
}

/* One line, in a file for who attaches later, and on a terminal. */
static void progress(const char *path, time_t start)
{
    static const char *const names[GROUPS] = {"default parameters", "MPFR", "grid", "scalar table",
                                              "scalar table, grid", "sse42", "sse42, grid"};
    const int done = shared->finished, at = done < job_count ? done : job_count - 1;
    char line[160];
    snprintf(line, sizeof line, "%5.1f%%  %d of %d slices, %ld s: %s %s", 100.0 * done / job_count,
             done, job_count, (long)(time(NULL) - start), act_kind_name(jobs[at].pass->kind),
             names[jobs[at].pass->group]);
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-79s", line);
}

void run_missing(const struct verify_options *options)
{
    char state_path[4096], progress_path[4096];
    snprintf(state_path, sizeof state_path, "%s/results", options->state);
    snprintf(progress_path, sizeof progress_path, "%s/progress", options->state);
    load_state(state_path);
    list_jobs();
    if (!job_count)
        return;
    FILE *state = fopen(state_path, "a+");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!state || shared == MAP_FAILED) {
        fprintf(stderr, "act-verify: cannot write %s\n", state_path);
        exit(2);
    }
    if (fseek(state, -1, SEEK_END) == 0 && fgetc(state) != '\n')
        fputc('\n', state); /* the half line of a crash ends here */
    fflush(state);
    const time_t start = time(NULL);
    const pid_t parent = getpid();
    int running = 0;
    for (; running < options->jobs; running++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() == parent)
                work(state);
            _exit(0);
        }
    for (int wait = 0; running; wait++) {
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            running--;
            continue;
        }
        if (wait % 20 == 0)
            progress(progress_path, start);
        usleep(50000);
    }
    progress(progress_path, start);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    fclose(state);
}
