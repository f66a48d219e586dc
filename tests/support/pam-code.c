/*
 * Has a real OpenSSH server ask for a code that changes with each login, by PAM and without touching
 * /etc. Loaded before sshd's own libraries (the first part), and by PAM (the second).
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct message { int style; const char *text; };
struct response { char *text; int code; };
struct conversation { int (*talk)(int, const struct message **, struct response **, void *); void *data; };
extern int pam_get_item(const void *, int, const void **);

/* libpam.so's, with the folder of its configs. */
int pam_start(const char *service, const char *user, const void *conversation, void **pam) {
  int (*start)(const char *, const char *, const void *, const char *, void **) =
      dlsym(RTLD_DEFAULT, "pam_start_confdir");
  (void)service;
  return start("sshd", user, conversation, getenv("HERD_PAM_FOLDER"), pam);
}

/* The file that words[0] names has the number of logins so far; the code of the next one is code-N. */
int pam_sm_authenticate(void *pam, int flags, int count, const char **words) {
  (void)flags;
  const struct conversation *conversation = 0;
  struct message ask = {1, "Verification code: "};
  const struct message *asks = &ask;
  struct response *answer = 0;
  char wanted[64] = "";
  int used;
  FILE *file;
  if (count < 1 || pam_get_item(pam, 5, (const void **)&conversation) != 0) return 7;
  if (conversation->talk(1, &asks, &answer, conversation->data) != 0) return 7;
  if (!answer || !answer->text) return 7;
  if (!(file = fopen(words[0], "r+")) || fscanf(file, "%d", &used) != 1) return 7;
  snprintf(wanted, sizeof wanted, "code-%d", used + 1);
  if (strcmp(wanted, answer->text) != 0) {
    fclose(file);
    return 7;
  }
  rewind(file);
  fprintf(file, "%d\n", used + 1);
  fclose(file);
  return 0;
}

int pam_sm_setcred(void *pam, int flags, int count, const char **words) {
  (void)pam, (void)flags, (void)count, (void)words;
  return 0;
}
